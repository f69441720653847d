-- Limits that core has and the tables lacked: whoever writes to a table directly keeps to them too,
-- and no value is too long for the index on its column. Added without a look at the rows that are
-- there; the next migration looks at them without keeping writers out.

alter table public.customers
  add constraint customers_external_ref_check check (char_length(external_ref) <= 200) not valid,
  add constraint customers_first_name_check check (char_length(first_name) <= 200) not valid,
  add constraint customers_last_name_check check (char_length(last_name) <= 200) not valid,
  add constraint customers_company_name_check check (char_length(company_name) <= 200) not valid,
  add constraint customers_source_check check (char_length(source) <= 200) not valid,
  add constraint customers_phone_raw_check check (char_length(phone_raw) <= 200) not valid,
  add constraint customers_owner_check check (char_length(owner) <= 200) not valid,
  add constraint customers_preferred_language_check check (char_length(preferred_language) <= 35) not valid;

alter table public.customer_locations
  add constraint customer_locations_label_check check (char_length(label) <= 200) not valid,
  add constraint customer_locations_address_line1_check check (char_length(address_line1) <= 200) not valid,
  add constraint customer_locations_address_line2_check check (char_length(address_line2) <= 200) not valid,
  add constraint customer_locations_city_check check (char_length(city) <= 200) not valid,
  add constraint customer_locations_state_check check (char_length(state) <= 200) not valid,
  add constraint customer_locations_postal_code_check check (char_length(postal_code) <= 200) not valid;

alter table public.customer_contacts
  add constraint customer_contacts_value_raw_check check (char_length(value_raw) <= 254) not valid,
  add constraint customer_contacts_notes_check check (char_length(notes) <= 20000) not valid;

alter table public.crm_preferences
  add constraint crm_preferences_notes_check check (char_length(notes) <= 20000) not valid;

alter table public.crm_tags
  add constraint crm_tags_description_check check (char_length(description) <= 2000) not valid,
  add constraint crm_tags_color_check check (char_length(color) <= 50) not valid;

alter table public.profiles
  add constraint profiles_email_check check (char_length(email) <= 255) not valid;

-- jsonb keeps numbers and depths that other readers of JSON refuse, Rust's among them: one such value would
-- break every answer that holds the settings. 64-bit floating point is what JSON can count on (RFC 8259 section 6).
alter table public.orgs
  add constraint orgs_settings_readable_check check (not jsonb_path_exists(settings,
    'strict $.** ? (@ > 1.7e308 || @ < -1.7e308)') and not jsonb_path_exists(settings, 'strict $.**{33 to last}')) not valid,
  -- The countries whose phone numbers can be read: a test compares the list with core's.
  add constraint orgs_default_country_known_check check (default_country = any (string_to_array(
    'AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS ' ||
    'BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG ' ||
    'EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT ' ||
    'HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR ' ||
    'LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF ' ||
    'NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD ' ||
    'SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW ' ||
    'TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW', ' '))) not valid;
