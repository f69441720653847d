-- Checks the rows that were there before the limits. A transaction of its own: the one that added them
-- keeps readers and writers out.

alter table public.customers
  validate constraint customers_external_ref_check,
  validate constraint customers_first_name_check,
  validate constraint customers_last_name_check,
  validate constraint customers_company_name_check,
  validate constraint customers_source_check,
  validate constraint customers_phone_raw_check,
  validate constraint customers_owner_check,
  validate constraint customers_preferred_language_check;
alter table public.customer_locations
  validate constraint customer_locations_label_check,
  validate constraint customer_locations_address_line1_check,
  validate constraint customer_locations_address_line2_check,
  validate constraint customer_locations_city_check,
  validate constraint customer_locations_state_check,
  validate constraint customer_locations_postal_code_check;
alter table public.customer_contacts
  validate constraint customer_contacts_value_raw_check,
  validate constraint customer_contacts_notes_check;
alter table public.crm_preferences
  validate constraint crm_preferences_notes_check;
alter table public.crm_tags
  validate constraint crm_tags_description_check,
  validate constraint crm_tags_color_check;
alter table public.profiles
  validate constraint profiles_email_check;
alter table public.orgs
  validate constraint orgs_settings_readable_check,
  validate constraint orgs_default_country_known_check;
