psql "$DATABASE_URL" -c "set app.current_org_id = '11111111-1111-4111-8111-111111111111'" -c "select crm_create_customer(type => 'individual', name => 'Grace Hopper')"
