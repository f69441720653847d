//! Portal accounts: who lets customers in, how they come in, and what they keep about themselves.

mod admission;
mod owner;
mod staff;

pub use admission::{accept_invite, complete_signup, find_invite, find_signup, register_signup};
pub use owner::{
    dashboard, get_settings, log_event, sign_in, update_notifications, update_profile,
};
pub use staff::{create_invite, revoke_invite, set_access, update};
