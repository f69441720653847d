revoke all on function fieldcrm.score_segment(text), fieldcrm.cancel_ai_job(text), fieldcrm.claim_scores(text), fieldcrm.store_scores(text)
  from public;
grant execute on function fieldcrm.score_segment(text), fieldcrm.cancel_ai_job(text), fieldcrm.claim_scores(text), fieldcrm.store_scores(text)
  to authenticated, service_role;

create or replace function public.crm_score_segment(
  segment_id uuid, threshold integer default 50, only_matching boolean default false, idempotency_key text default null
) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.score_segment(json_build_object('segment_id', segment_id, 'threshold', threshold,
    'only_matching', only_matching, 'idempotency_key', idempotency_key)::text));
end $$;
comment on function public.crm_score_segment(uuid, integer, boolean, text) is $$Begins to score customers by how well they fit a segment: a job, whose row in ai_jobs says how far it is. At its end the members are
those with the threshold or more, with score and, in metadata, {job_id, reason, provider}; events tell who entered and left.
threshold: 0 to 100. only_matching: score only who matches the rules, instead of all who are not archived. idempotency_key: the same key and
payload again return the first result.
Returns the job: {id, segment_id, status: queued, total, scored, failed, …}. Needs segments.write.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found, 409 conflict (it is being scored), 409 idempotency_key_reused, 422 rule_broken
(it has no rules). Example: select crm_score_segment(segment_id => '…', threshold => 70);$$;

create or replace function public.crm_cancel_ai_job(job_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return fieldcrm.unwrap(fieldcrm.cancel_ai_job(json_build_object('job_id', job_id)::text));
end $$;
comment on function public.crm_cancel_ai_job(uuid) is $$Ends a job before it is done: what is scored is forgotten, and the members stay who they are.
Returns the job. Needs segments.write. Errors: 403 forbidden, 404 not_found, 409 wrong_state (it is finished).
Example: select crm_cancel_ai_job(job_id => '…');$$;

-- PostgREST takes statement_timeout from the function it calls: the end of a job of many customers, which comes with the last claim or the
-- last scores, can take longer than the 8 seconds of Supabase.
create or replace function public.crm_claim_scores(batch_limit integer default 500, facts boolean default true) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '60s' set jit = off as $$
begin
  return fieldcrm.unwrap(fieldcrm.claim_scores(json_build_object('batch_limit', batch_limit, 'facts', facts)::text));
end $$;
comment on function public.crm_claim_scores(integer, boolean) is $$For jobs: customers of one job who wait for a score, under a lease of two minutes. Over all orgs, or the org in app.current_org_id.
batch_limit: 1 to 1,000. facts: whether to tell what a model may know of each: numbers, days, states and tags, no names or texts.
A claim whose results do not come is lost, and its customers are claimed again; after five claims a customer is given up.
Returns {lease_id, job, segment: {ai_prompt, sentence}, customers: [{id, builtin: {score, reason}, facts}], dead: how many were given up}.
builtin is what the rules say. job null: nothing is to do; no customers, and a job: it ended, or others have them.
Errors: 400 invalid_argument, 403 forbidden. Example: select crm_claim_scores(batch_limit => 25);$$;

create or replace function public.crm_store_scores(job_id uuid, lease_id uuid, provider text, results jsonb, model text default null) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '60s' set jit = off as $$
begin
  return fieldcrm.unwrap(fieldcrm.store_scores(json_build_object('job_id', job_id, 'lease_id', lease_id, 'provider', provider,
    'model', model, 'results', results)::text));
end $$;
comment on function public.crm_store_scores(uuid, uuid, text, jsonb, text) is $$For jobs: the scores of a claim. With the last ones of a job the members become those with its threshold.
job_id, lease_id: of the claim. provider: builtin, or whose model scored; model: its name. results: [{id, score: 0 to 100, reason: at most
500 characters}, or {id, error, unavailable}], at most 1,000, each id once. An error is tried again after 2, 8, 32 and 128 minutes, and given
up at the fifth time. unavailable: true where the model does not answer at all: then it is no attempt, and the job waits for 2 minutes and
twice as long each time, up to an hour. A job of which all are given up and none has a score fails (nothing_scored), and the members stay.
Only what the claim still has is taken: not what another one took over, was stored before, was deleted, or is of a canceled job.
Returns {stored, failed: tried again later, dead: given up, finished: whether the job is}; calling it again stores nothing twice.
Errors: 400 invalid_argument, 403 forbidden, 404 not_found.
Example: select crm_store_scores(job_id => '…', lease_id => '…', provider => 'builtin', results => '[{"id": "…", "score": 80, "reason": "Met: …"}]');$$;

revoke all on function public.crm_score_segment(uuid, integer, boolean, text), public.crm_cancel_ai_job(uuid),
    public.crm_claim_scores(integer, boolean), public.crm_store_scores(uuid, uuid, text, jsonb, text)
  from public, anon, authenticated, service_role;
grant execute on function public.crm_score_segment(uuid, integer, boolean, text), public.crm_cancel_ai_job(uuid),
    public.crm_claim_scores(integer, boolean), public.crm_store_scores(uuid, uuid, text, jsonb, text)
  to authenticated, service_role;
