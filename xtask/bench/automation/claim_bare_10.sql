with next as (
  select id from bench.queue where vt <= clock_timestamp() order by vt, id limit 10 for update skip locked
)
update bench.queue q set vt = clock_timestamp() + interval '60 seconds', attempts = attempts + 1
from next where q.id = next.id returning q.id, q.message;
