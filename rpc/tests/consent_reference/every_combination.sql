-- In: channel, purpose, how many combinations. Out: '<verdict> <code> <hours to wait>' for each, in their order. The numbers
-- stand for digits, the lowest first: thirteen flags, then the portal (3), then the moment (7).
with digits as (
  select n,
    n & 1 = 1 as closed, n & 2 > 0 as archived, n & 4 > 0 as blacklisted, n & 8 > 0 as suppressed,
    n & 16 > 0 as no_contact, n & 32 > 0 as not_this_channel,
    -- 64: not by the other channels, which is no matter here.
    n & 128 > 0 as reachable, n & 256 > 0 as opted_in,
    -- 512: opted in for the other purpose.
    n & 1024 > 0 as verified, n & 2048 > 0 as stopped, n & 4096 > 0 as unverified_will_do,
    n / 8192 % 3 as portal, n / 8192 / 3 as moment, $2 = 'marketing' as marketing
  from generate_series(0, $3::bigint - 1) n
), refused as (
  select d.*, least(
    case when closed then 1 end,
    case when no_contact then 2 end,
    case when blacklisted then 3 end,
    case when archived and marketing then 4 end,
    case when not_this_channel then 5 end,
    case when suppressed then 6 end,
    case when not reachable then 7 end,
    case when stopped then 8 end,
    case when not opted_in then 9 end,
    case when marketing and not verified and not unverified_will_do then 10 end,
    case when marketing and portal = 2 and $1 <> 'call' then 11 end,
    case when marketing and moment = 5 then 12 end) as rank
  from digits d
), waited as (
  select r.*,
    -- The window opens at 13, the portal is quiet until 14, the org until 15, the cap has room at 16. It is noon.
    greatest(case when moment in (1, 6) then 1 end, case when moment in (2, 6) then 2 end,
      case when marketing and moment in (3, 6) then 3 end, case when marketing and moment in (4, 6) then 4 end) as hours
  from refused r
)
select array_agg(case
  when rank is not null then 'refused ' || (array['closed', 'do_not_contact', 'blacklisted', 'archived',
    case $1 when 'email' then 'do_not_email' when 'call' then 'do_not_call' else 'do_not_sms' end, 'suppressed', 'no_address',
    'stopped', 'opted_out', 'not_verified', 'portal_opted_out', 'frequency_cap'])[rank] || ' 0'
  when hours is not null then 'deferred ' || (array['outside_window', 'quiet_hours', 'quiet_hours', 'frequency_cap'])[hours]
    || ' ' || hours
  else 'allowed allowed 0' end order by n)
from waited
