//! Which services a role is handed to by an action that needs `iam:PassRole`.
//!
//! The table `data/aws/passing.txt` is our own work from the services' documentation: one line per service principal with the actions that hand
//! it a role. The principal is what the role's trust policy has to name, and what `iam:PassedToService` holds.

/// The table: principal and actions, line by line.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let text = include_str!("../../data/aws/passing.txt");
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

/// The service principals that an action can hand a role to, sorted; empty for one that passes no role or is not known.
///
/// `lambda:CreateFunction` gives `lambda.amazonaws.com`. An instance profile counts as its role, which EC2 receives.
pub fn passable_services(action: &str) -> Vec<&'static str> {
    let hands = |actions: &str| actions.split(' ').any(|listed| listed.eq_ignore_ascii_case(action));
    lines().filter(|(_, actions)| hands(actions)).map(|(principal, _)| principal).collect()
}

/// The actions that can hand a role to a service principal; empty for one that receives none.
pub fn passing_actions(principal: &str) -> Vec<&'static str> {
    lines().filter(|(listed, _)| *listed == principal).flat_map(|(_, actions)| actions.split(' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::{lines, passable_services, passing_actions};

    #[test]
    fn principals_rise_and_lines_are_whole() {
        let principals: Vec<_> = lines().map(|(principal, _)| principal).collect();
        assert!(principals.is_sorted() && principals.len() > 100, "{principals:?}");
        for (principal, actions) in lines() {
            assert!(principal.ends_with(".amazonaws.com"), "{principal}");
            assert!(actions.split(' ').all(|action| action.contains(':')), "{principal}: {actions}");
        }
    }

    #[test]
    fn a_service_may_receive_a_role_by_several_actions_and_an_action_serve_several() {
        assert_eq!(passable_services("ec2:runinstances"), ["ec2.amazonaws.com"]);
        assert!(passable_services("batch:CreateComputeEnvironment").len() > 1);
        assert!(passing_actions("glue.amazonaws.com").contains(&"glue:CreateJob"));
        assert!(passable_services("s3:GetObject").is_empty());
    }
}
