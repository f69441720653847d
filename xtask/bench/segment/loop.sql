select bench.matches_in_a_loop('11111111-1111-4111-8111-111111111111', '[
  {"field": "status", "value": "active"}, {"field": "last_interaction_at", "value": "180 days"},
  {"field": "tags", "value": ["VIP"]},
  {"field": "city", "value": ["Chicago", "Evanston", "Oak Park", "Naperville", "Milwaukee"]},
  {"field": "negative_within", "value": "365 days"}]');
