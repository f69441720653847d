-- The one place that raises a domain error: SQLSTATE PT<status> is what PostgREST turns into that
-- HTTP status, DETAIL is JSON with the stable code.
create or replace function fieldcrm.unwrap(result jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  failure constant jsonb := result -> '$error';
begin
  if failure is not null then
    raise exception using errcode = failure ->> 'sqlstate', message = failure ->> 'message',
      detail = failure ->> 'detail', hint = failure ->> 'hint';
  end if;
  return result;
end $$;
comment on function fieldcrm.unwrap(jsonb) is 'Raises the domain error that an RPC body returned, or returns its result.';
revoke all on function fieldcrm.unwrap(jsonb) from public;
grant execute on function fieldcrm.unwrap(jsonb) to authenticated, service_role;
