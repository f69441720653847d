)
select to_jsonb(count(*)) from chosen
