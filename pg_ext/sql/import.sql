revoke all on function fieldcrm.import_customers(text) from public;
grant execute on function fieldcrm.import_customers(text) to authenticated, service_role;

-- PostgREST takes statement_timeout from the function it calls: a large file takes longer than the 8 seconds
-- that Supabase gives signed-in users. Compiling the statements anew for each thousand rows takes longer than they do.
-- Without sequential scans: plans are kept, and one made while the tables were still empty, and never analysed, would read
-- all of them for each row of the file.
create or replace function public.crm_import_customers(
  rows jsonb, match_on text[] default array['external_ref', 'email', 'phone'], mode text default 'both',
  dry_run boolean default false
) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '60s' set jit = off set enable_seqscan = off as $$
begin
  return fieldcrm.unwrap(fieldcrm.import_customers(json_build_object(
    'rows', rows, 'match_on', match_on, 'mode', mode, 'dry_run', dry_run)::text));
end $$;
comment on function public.crm_import_customers(jsonb, text[], text, boolean) is $$Makes and changes customers of flat rows, as a CSV file gives them; rows with mistakes are left out and listed.
rows: at most 25,000 objects with any of the columns type (default: individual, or company where only company_name is given),
name, first_name, last_name, company_name, email, phone, mobile, status, lifecycle_stage, pipeline_stage, source,
preferred_language, notes, external_ref; label, address_line1, address_line2, city, state, postal_code, country,
latitude, longitude (one location, where address_line1 is given); tags (text separated by ; or an array);
do_not_contact, do_not_email, do_not_sms, do_not_call (true, false, yes, no, 1, 0). Values may be text; null and '' say
nothing. A phone without country code is read as of the row's country, else the org's default_country.
match_on: by which of external_ref, email, phone a row's customer is found. Where external_ref is among them it goes first,
and another external_ref is another customer. Rows and customers that share keys, directly or through others, are one
customer, later values winning, as long as at most one of them is known and has or gets at most one external_ref. Else a
row with an external_ref is the customer of that, or the only one without any to whom its next key leads; any other row is
the only customer to whom its keys lead, or the first of them. Rows that still lead to several are errors, ambiguous_match,
in whatever order they come. A row that has none of the keys is an error, no_match_key. An empty array makes a customer of
every row, each time anew. Where external_ref is no key, a row with that of another customer is an error,
duplicate_external_ref.
mode: create (known customers are skipped), update (unknown ones are), both. dry_run: counts, but writes nothing.
What a customer has is changed where the row gives another value; contacts, locations and tags are added, never removed:
the same rows again change nothing and have the same errors, unless match_on is empty. All in one transaction, so an
import that is broken off leaves nothing. Imports of one org take turns. 20,000 rows take some 15 seconds: where a shorter
statement_timeout holds (8 seconds on hosted Supabase, if PostgREST does not take it from this function), send at most
5,000 rows a call.
Returns {rows, created, updated, unchanged, duplicates, skipped, failed, errors: [{row (from 1), path (column), code,
message}] (at most 1,000), errors_truncated, dry_run}. Needs customers.write, and tags.write where tags are given.
Errors: 400 invalid_argument (also for an unknown column), 403 forbidden, 403 no_membership.
Example: select crm_import_customers(rows => '[{"name": "Ada Lovelace", "email": "ada@example.com"}]', dry_run => true);$$;

revoke all on function public.crm_import_customers(jsonb, text[], text, boolean) from public, anon, authenticated, service_role;
grant execute on function public.crm_import_customers(jsonb, text[], text, boolean) to authenticated, service_role;
