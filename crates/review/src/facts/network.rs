//! The network of an architecture as the reachability decision needs it: VPCs, subnets, routes, network ACLs and security groups.
//!
//! Step 2 of the review. Read once from the components (see `read`), then asked by `reachability`; it draws no conclusion itself.
//! Three spellings of a security group rule and two of a route come out the same.

use std::collections::BTreeMap;

use bartizan_model::{Address, Span};
use ipnet::IpNet;

mod joins;
mod read;
mod routes;
mod rules;
mod service_endpoints;

pub(crate) use joins::{Association, Attachment, Joins, Peering, TransitTable};
pub(crate) use routes::{Route, RouteTable, RouteTarget};
pub(crate) use rules::{Peer, Protocol, Rule, covers_internet, is_private, parse_range, read_rules, reference};
pub(crate) use service_endpoints::{EndpointKind, ServiceEndpoint};

use super::read::is_looked_up;
use super::verdict::Verdict;

/// Everything that decides who reaches whom. Keys are component addresses.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// VPCs.
    pub(crate) vpcs: BTreeMap<Address, Vpc>,
    /// Subnets.
    pub(crate) subnets: BTreeMap<Address, Subnet>,
    /// Route tables.
    pub(crate) tables: BTreeMap<Address, RouteTable>,
    /// Network ACLs.
    pub(crate) acls: BTreeMap<Address, Acl>,
    /// Security groups.
    pub(crate) groups: BTreeMap<Address, Group>,
    /// Entries of customer-managed prefix lists; `None` where an entry is not known.
    pub(crate) prefix_lists: BTreeMap<Address, Vec<Option<IpNet>>>,
    /// Names of prefix lists that the source only looks up; what is not known of a name is `*`.
    pub(crate) lists_elsewhere: BTreeMap<Address, String>,
    /// VPC Block Public Access, one entry for each account and region that sets it.
    pub(crate) blocks: Vec<Block>,
    /// Internet gateways with the VPC each is attached to; `None`: not known. One that is attached to nothing has no entry but is in
    /// `detached`.
    pub(crate) gateways: BTreeMap<Address, Option<Address>>,
    /// Internet gateways that the plan attaches to no VPC.
    pub(crate) detached: Vec<Address>,
    /// NAT gateways of the plan with the subnet of each; `None`: a regional one, or not known.
    pub(crate) nats: BTreeMap<Address, Option<Address>>,
    /// Peerings and transit gateways.
    pub(crate) joins: Joins,
    /// VPC endpoints.
    pub(crate) service_endpoints: BTreeMap<Address, ServiceEndpoint>,
}

/// VPC Block Public Access of one account in one region.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The component that sets it.
    pub(crate) address: Address,
    /// Its account, where known.
    pub(crate) account: Option<String>,
    /// Its region, where known.
    pub(crate) region: Option<String>,
    /// Whether it keeps the internet out: both modes but `off` do. Source: VPC guide, "Block public access to VPCs and subnets".
    pub(crate) keeps_out: Verdict,
    /// Where the mode is written.
    pub(crate) span: Span,
}

/// A VPC.
#[derive(Debug, Default)]
pub(crate) struct Vpc {
    /// Its address ranges, as far as known.
    pub(crate) ranges: Vec<IpNet>,
    /// The route table of subnets without one of their own.
    pub(crate) main_table: Option<Address>,
    /// Its default security group where the plan manages it.
    pub(crate) default_group: Option<Address>,
    /// Its default network ACL where the plan manages it.
    pub(crate) default_acl: Option<Address>,
    /// Whether an exclusion for both directions lifts Block Public Access from it; `None`: no exclusion names it.
    pub(crate) exclusion: Option<Verdict>,
    /// Its account, where known.
    pub(crate) account: Option<String>,
    /// Its region, where known.
    pub(crate) region: Option<String>,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// A subnet.
#[derive(Debug, Default)]
pub(crate) struct Subnet {
    /// Its VPC.
    pub(crate) vpc: Option<Address>,
    /// Its IPv4 range.
    pub(crate) range: Option<IpNet>,
    /// Its IPv6 range, where it has one that is known.
    pub(crate) range_v6: Option<IpNet>,
    /// True when network interfaces in it get an IPv6 address.
    pub(crate) assigns_ipv6: bool,
    /// Whether instances in it get a public address by default, and where that is written; `None`: not known.
    pub(crate) assigns_public: Option<bool>,
    /// Where `assigns_public` is written.
    pub(crate) assigns_public_span: Option<Span>,
    /// The route table associated with it.
    pub(crate) table: Option<Address>,
    /// The network ACL associated with it.
    pub(crate) acl: Option<Address>,
    /// True where the source only looks it up: its routes and network ACL are elsewhere.
    pub(crate) looked_up: bool,
    /// True for a default subnet, which AWS made with a route to an internet gateway.
    pub(crate) by_default: bool,
    /// Its availability zone.
    pub(crate) zone: Option<String>,
    /// Whether an exclusion for both directions lifts Block Public Access from it; `None`: no exclusion names it.
    pub(crate) exclusion: Option<Verdict>,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// A network ACL.
#[derive(Debug, Default)]
pub(crate) struct Acl {
    /// Rules for traffic in, by number.
    pub(crate) ingress: Vec<AclRule>,
    /// Rules for traffic out, by number.
    pub(crate) egress: Vec<AclRule>,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// A rule of a network ACL.
#[derive(Debug)]
pub(crate) struct AclRule {
    /// Its number; lower ones are asked first.
    pub(crate) number: i64,
    /// Whether it allows; `None`: not known.
    pub(crate) allow: Option<bool>,
    /// What traffic and whose.
    pub(crate) rule: Rule,
}

/// A security group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Its VPC.
    pub(crate) vpc: Option<Address>,
    /// What it lets in.
    pub(crate) ingress: Vec<Rule>,
    /// What it lets out.
    pub(crate) egress: Vec<Rule>,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// How a subnet is joined to the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Routes to an internet gateway.
    Public,
    /// Routes out through NAT or another network.
    Private,
    /// No route out.
    Isolated,
}

impl Network {
    /// The route table that holds for a subnet.
    pub(crate) fn table_of(&self, subnet: &Subnet) -> Option<(&Address, &RouteTable)> {
        let own = subnet.table.as_ref();
        let main = || subnet.vpc.as_ref().and_then(|vpc| self.vpcs.get(vpc)).and_then(|vpc| vpc.main_table.as_ref());
        let address = own.or_else(main)?;
        self.tables.get_key_value(address)
    }

    /// True where a subnet without a table in the plan is known to have only its VPC's local route: the plan makes the VPC.
    pub(crate) fn has_main_table(&self, subnet: &Subnet) -> bool {
        subnet.vpc.as_ref().is_some_and(|vpc| self.vpcs.contains_key(vpc) && !is_looked_up(vpc)) && !subnet.by_default && !subnet.looked_up
    }

    /// The tier of a subnet; `None` where its VPC or routes are not known.
    pub(crate) fn tier(&self, subnet: &Subnet) -> Option<Tier> {
        let vpc = self.vpcs.get(subnet.vpc.as_ref()?);
        if subnet.by_default && subnet.table.is_none() {
            return Some(Tier::Public);
        }
        let Some((_, table)) = self.table_of(subnet) else {
            // Without a table in the plan the VPC's main table holds, which has only the local route unless someone changed it elsewhere.
            return vpc.filter(|_| self.has_main_table(subnet)).map(|_| Tier::Isolated);
        };
        let has = |target| table.routes.iter().any(|route| route.target == target && route.destination.is_none_or(covers_internet));
        if has(RouteTarget::InternetGateway) {
            return Some(Tier::Public);
        }
        if [RouteTarget::OutboundOnly, RouteTarget::Private, RouteTarget::Beyond, RouteTarget::Appliance].into_iter().any(has) {
            return Some(Tier::Private);
        }
        if table.incomplete || has(RouteTarget::Unknown) { None } else { Some(Tier::Isolated) }
    }

    /// What a prefix list that is not in the plan holds: addresses of AWS's own services, or not known.
    pub(crate) fn list_of_aws(&self, list: &Address) -> Verdict {
        match self.lists_elsewhere.get(list) {
            Some(name) if !name.starts_with("com.amazonaws.") => Verdict::Unknown,
            Some(_) | None => Verdict::Yes,
        }
    }

    /// The network ACL that holds for a subnet; `None`: AWS's default, which allows everything.
    pub(crate) fn acl_of(&self, subnet: &Subnet) -> Option<(&Address, &Acl)> {
        let own = subnet.acl.as_ref();
        let default = || subnet.vpc.as_ref().and_then(|vpc| self.vpcs.get(vpc)).and_then(|vpc| vpc.default_acl.as_ref());
        self.acls.get_key_value(own.or_else(default)?)
    }
}
