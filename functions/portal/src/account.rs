//! `/portal/signup`, `/portal/accept-invite`, `/portal/session`, `/portal/dashboard`

use axum::Router;
use fieldcrm_edge::Ports;

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
}
