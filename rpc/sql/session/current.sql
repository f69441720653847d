-- $1 is not used: every statement takes one document.
select fieldcrm.session() where $1 is not null
