//! `/portal/service-types`, `/portal/slots`, `/portal/holds`, `/portal/booking-requests`

use axum::Router;
use fieldcrm_edge::Ports;

pub fn add(routes: Router<Ports>) -> Router<Ports> {
    routes
}
