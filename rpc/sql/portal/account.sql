-- The caller's portal account, whatever its status. In: {}. Out: as fieldcrm.load_portal_account() says, or null.
select fieldcrm.load_portal_account() where $1 is not null
