-- In: {user_id}. Out: {email}; null where there is no such user.
select jsonb_build_object('email', lower(u.email)) from auth.users u where u.id = ($1 ->> 'user_id')::uuid
