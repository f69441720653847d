//! Members of an org: who may give which role to whom.

use uuid::Uuid;

use crate::{Capability, Code, Error, Result, Role, Session};

/// How long an invitation holds unless its maker says otherwise, in hours.
const INVITE_HOURS: i64 = 7 * 24;
/// The longest an invitation can hold, in hours.
const MAX_INVITE_HOURS: i64 = 90 * 24;
/// The most characters a member's name can have.
pub const MAX_NAME: usize = 200;

/// Whether the caller may give `role` to somebody new.
pub fn check_grant(caller: &Session, role: Role) -> Result<Uuid> {
    let org = caller.require(&[Capability::MembersManage])?;
    if caller.service && role.is_staff() || caller.role.is_some_and(|own| own.may_grant(role)) {
        return Ok(org);
    }
    Err(not_grantable(role))
}

/// Whether the caller may turn `target`, who has the role `from`, into a `to`.
///
/// Stepping down oneself is allowed to owners; raising oneself to nobody. That an org keeps one
/// owner is the database's to check, under a lock.
pub fn check_change(caller: &Session, target: Uuid, from: Role, to: Role) -> Result<()> {
    check_grant(caller, to)?;
    check_grant(caller, from)?;
    if caller.profile_id == Some(target) && caller.role != Some(Role::Owner) {
        return Err(not_grantable(to));
    }
    Ok(())
}

/// Whether the caller may take the rights of a member with that role: of portal users too, of owners
/// only as an owner.
pub fn check_deactivation(caller: &Session, role: Role) -> Result<Uuid> {
    let org = caller.require(&[Capability::MembersManage])?;
    if role == Role::Owner && !caller.service && caller.role != Some(Role::Owner) {
        return Err(not_grantable(role));
    }
    Ok(org)
}

/// How long an invitation holds, in hours.
pub fn hours(expires_in_hours: Option<i64>) -> Result<i64> {
    let hours = expires_in_hours.unwrap_or(INVITE_HOURS);
    if (1..=MAX_INVITE_HOURS).contains(&hours) {
        return Ok(hours);
    }
    let message = format!("must be between 1 and {MAX_INVITE_HOURS}");
    Err(Error::invalid_field("expires_in_hours", "out_of_range", message))
}

/// The name of a user as a profile keeps it; blank is none.
pub fn full_name(raw: Option<&str>) -> Result<Option<&str>> {
    let name = raw.map(str::trim).filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.chars().count() > MAX_NAME || name.contains('\0')) {
        let message = format!("at most {MAX_NAME} characters, none of them NUL");
        return Err(Error::invalid_field("full_name", "too_long", message));
    }
    Ok(name)
}

fn not_grantable(role: Role) -> Error {
    Error::new(
        Code::RoleNotGrantable,
        "Nobody can change their own role upwards; owners are made by owners, portal users by portal invitations.",
    )
    .with("role", role.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role) -> Session {
        Session {
            org_id: Some(Uuid::from_u128(9)),
            user_id: Some(Uuid::from_u128(1)),
            profile_id: Some(Uuid::from_u128(1)),
            role: Some(role),
            ..Session::default()
        }
    }

    #[test]
    fn nobody_raises_their_own_role() {
        let own = Uuid::from_u128(1);
        for from in Role::ALL {
            for to in Role::ALL {
                let allowed = check_change(&caller(*from), own, *from, *to).is_ok();
                assert_eq!(
                    allowed,
                    *from == Role::Owner && to.is_staff(),
                    "{} -> {}",
                    from.as_str(),
                    to.as_str()
                );
            }
        }
    }

    #[test]
    fn an_admin_cannot_touch_an_owner() {
        let other = Uuid::from_u128(2);
        assert!(check_change(&caller(Role::Admin), other, Role::Owner, Role::Csr).is_err());
        assert!(check_change(&caller(Role::Admin), other, Role::Csr, Role::Owner).is_err());
        assert!(check_change(&caller(Role::Admin), other, Role::Csr, Role::Manager).is_ok());
        assert!(check_change(&caller(Role::Owner), other, Role::Admin, Role::Owner).is_ok());
    }
    #[test]
    fn a_full_name_is_trimmed_and_not_too_long() {
        assert_eq!(full_name(Some(" Ada ")).unwrap(), Some("Ada"));
        assert_eq!(full_name(Some("  ")).unwrap(), None);
        assert_eq!(full_name(None).unwrap(), None);
        assert!(full_name(Some(&"ß".repeat(200))).is_ok());
        assert_eq!(full_name(Some(&"x".repeat(201))).unwrap_err().errors[0].path, "full_name");
    }

    #[test]
    fn an_admin_deactivates_everybody_but_owners() {
        for role in Role::ALL {
            let allowed = check_deactivation(&caller(Role::Admin), *role).is_ok();
            assert_eq!(allowed, *role != Role::Owner, "{}", role.as_str());
            assert!(check_deactivation(&caller(Role::Owner), *role).is_ok());
            assert!(check_deactivation(&caller(Role::Manager), *role).is_err());
        }
    }
}
