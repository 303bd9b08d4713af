//! How the image is reached: what options say, and what the kickstart says where they do not;
//! and what of that the installed system keeps.

use crate::error::Result;
use crate::image::{Access, auth_file, login_file};
use crate::plan::{Plan, Step};
use crate::request::Request;
use crate::units::Secret;

/// `options`, and below them what `request` says. Credentials of one are not mixed with those of
/// the other.
pub fn registry_access(request: &Request, options: &Access) -> Access {
    let asked = &request.registry;
    let mut access = options.clone();
    if access.login.is_none() && access.authfile.is_none() {
        access.login.clone_from(&asked.login);
        access.authfile.clone_from(&asked.authfile);
    }
    // Certificates of the kickstart are for the installation as well, as in Anaconda.
    access.authorities.extend(request.system.certificates.iter().map(|one| one.content.clone()));
    access.insecure_registries.extend(asked.insecure_registries.iter().cloned());
    if let Some(timeout) = asked.timeout.filter(|_| access.read_timeout == Access::default().read_timeout) {
        access.read_timeout = timeout;
    }
    access
}

/// The auth.json that `plan` gives to the installed system, read before anything is written.
pub(super) fn kept(request: &Request, plan: &Plan) -> Result<Option<Secret>> {
    let registry = plan.steps.iter().find_map(|step| match step {
        Step::Credentials { registry, .. } => Some(registry),
        _ => None,
    });
    let Some(registry) = registry else { return Ok(None) };
    match (&request.registry.login, &request.registry.authfile) {
        (Some(login), _) => Ok(Some(login_file(registry, login))),
        (None, Some(file)) => auth_file(file).map(Some),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::image::Login;

    fn login(user: &str) -> Option<Login> {
        Some(Login { user: user.into(), password: Secret::new("p") })
    }

    #[test]
    fn options_go_before_the_kickstart() {
        let mut request = Request::of_image("q.io/x");
        request.registry.login = login("site");
        request.registry.insecure_registries = vec!["a".into()];
        request.registry.timeout = Some(Duration::from_secs(9));
        let of = |options: Access| {
            let access = registry_access(&request, &options);
            (access.login.map(|login| login.user), access.authfile, access.insecure_registries, access.read_timeout)
        };
        let nine = Duration::from_secs(9);
        assert_eq!(of(Access::default()), (Some("site".into()), None, vec!["a".into()], nine));
        let file = Access { authfile: Some("f".into()), insecure_registries: vec!["b".into()], ..Access::default() };
        assert_eq!(of(file), (None, Some("f".into()), vec!["b".into(), "a".into()], nine));
        let own = Access { login: login("me"), read_timeout: Duration::from_secs(1), ..Access::default() };
        assert_eq!(of(own), (Some("me".into()), None, vec!["a".into()], Duration::from_secs(1)));
    }
}
