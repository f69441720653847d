-- In: {chain: the literal of a uuid[], or ''}. Out: the same. On whose behalf this transaction acts from here on.
select to_jsonb(set_config('fieldcrm.rule_chain', $1 ->> 'chain', true))
