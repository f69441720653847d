-- The extension owns functions only; every table is in a migration. The schema is made here, not by
-- the extension, so that dropping or upgrading the extension never touches what lives in it.
create schema if not exists fieldcrm;
comment on schema fieldcrm is 'Internals of fieldcrm: RLS helpers, RPC bodies, idempotency keys. Not exposed by the API.';
create extension if not exists fieldcrm with schema fieldcrm;
