-- In: {user_id}. Out: {}. From now on the login belongs to whoever reads the mail: its password, which may be somebody else's, opens nothing any
-- more, and sessions other than this one are over.
with ended as (
  delete from auth.sessions s
  where s.user_id = ($1 ->> 'user_id')::uuid
    and s.id is distinct from (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'session_id')::uuid
)
update auth.users u set encrypted_password = null where u.id = ($1 ->> 'user_id')::uuid
returning '{}'::jsonb
