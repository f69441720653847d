-- Behind scope.sql. Out: {memberships, warranties}. Who sees one place of a customer sees the warranties of that place.
select jsonb_build_object(
  'memberships', coalesce((
    select jsonb_agg(jsonb_build_object('id', m.id, 'customer_id', m.customer_id, 'status', m.status, 'starts_on', m.starts_on,
      'ends_on', m.ends_on, 'plan', jsonb_build_object('name', p.name, 'description', p.description, 'price', p.price,
        'currency', o.currency, 'billing_period', p.billing_period, 'visits_per_year', p.visits_per_year,
        'discount_percent', p.discount_percent)) order by m.starts_on desc, m.id)
    from scope s
    join public.customer_memberships m on m.org_id = ($1 ->> 'org_id')::uuid and m.customer_id = s.customer_id and s.whole
    join public.membership_plans p on p.org_id = m.org_id and p.id = m.membership_plan_id
    join public.orgs o on o.id = m.org_id), '[]'),
  'warranties', coalesce((
    select jsonb_agg(jsonb_build_object('id', x.id, 'customer_id', x.customer_id, 'location_id', x.location_id,
      'job_id', x.work_order_id, 'title', x.title, 'provider', x.provider, 'terms', x.terms, 'starts_on', x.starts_on,
      'ends_on', x.ends_on, 'document_id', d.id) order by x.ends_on desc nulls first, x.id)
    from scope s
    join public.warranties x on x.org_id = ($1 ->> 'org_id')::uuid and x.customer_id = s.customer_id
      and (s.whole or x.location_id = any (s.locations))
    left join public.documents d on d.org_id = x.org_id and d.id = x.document_id and d.customer_id = x.customer_id
      and d.is_customer_visible), '[]'))
