//! Ways in and through, drawn as flows: balancers, managed endpoints, clusters. One test for each construct, from real text.

use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::{Address, Architecture, FlowStatus, Node};
use bartizan_review::{Catalogue, Facts, complete};

use crate::support::{CATALOGUE, SERVICES};

mod balancers;
mod clusters;
mod doors;
mod endpoints;
mod files;
mod joins;
mod lattice;

static KNOWN: LazyLock<&'static Catalogue> = LazyLock::new(|| &CATALOGUE.0);

/// An architecture with its flows and facts.
pub(crate) struct Drawn {
    architecture: Architecture,
    facts: Facts,
}

fn completed(files: &[(&str, &str)]) -> Drawn {
    let services: &Services = &SERVICES;
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let imported = bartizan_import::import(&tree, services);
    let (architecture, facts, _) = complete(imported, &KNOWN.services, &KNOWN.lifecycle, Some("2026-11-24"));
    Drawn { architecture, facts }
}

fn terraform(text: &str) -> Drawn {
    completed(&[("main.tf", text)])
}

impl Drawn {
    /// Flows as `from -> to protocol:port`, blocked ones with `blocked` behind.
    fn flows(&self) -> Vec<String> {
        let line = |flow: &bartizan_model::Flow| {
            let port = flow.port.map_or_else(String::new, |port| format!(":{port}"));
            let blocked = if flow.status == FlowStatus::Blocked { " blocked" } else { "" };
            format!("{} -> {} {}{port}{blocked}", flow.from, flow.to, flow.protocol)
        };
        self.architecture.flows.iter().map(line).collect()
    }

    #[track_caller]
    fn has(&self, flow: &str) {
        assert!(self.flows().iter().any(|found| found == flow), "no `{flow}` among {:#?}", self.flows());
    }

    #[track_caller]
    fn has_none(&self, start: &str) {
        assert!(!self.flows().iter().any(|found| found.starts_with(start)), "`{start}` among {:#?}", self.flows());
    }

    /// Asserts that one of the reasons of the flows between two names something.
    #[track_caller]
    fn says(&self, from: &str, to: &str, named: &str) {
        let flows = self.architecture.flows.iter().filter(|flow| flow.from.as_str() == from && flow.to.as_str() == to);
        let reasons: Vec<&str> = flows.flat_map(|flow| &flow.why).map(|reason| reason.text.as_str()).collect();
        assert!(reasons.iter().any(|text| text.contains(named)), "`{named}` is not named: {reasons:#?}");
    }

    fn fact(&self, address: &str, name: &str) -> Option<&Node> {
        self.facts.by_component.get(&Address::new(address))?.get(name)
    }

    fn listed(&self, address: &str, name: &str) -> Vec<String> {
        let items = self.fact(address, name).and_then(|node| node.value.as_list()).unwrap_or(&[]);
        items.iter().filter_map(|item| item.value.as_str().map(std::borrow::Cow::into_owned)).collect()
    }

    #[track_caller]
    fn undecided(&self, address: &str, named: &str) {
        let fact = self.fact(address, "internet_reachable");
        let bartizan_model::Value::Unknown(unknown) = &fact.unwrap_or_else(|| panic!("no fact of `{address}`")).value else {
            panic!("decided: {fact:?}")
        };
        assert!(unknown.why.contains(named), "`{named}` is not named: {}", unknown.why);
    }
}

/// A VPC with two public subnets and an inner one, and groups: `edge` admits TCP 80 of everyone, `app` what `admits` says.
fn network(admits: &str, more: &str) -> String {
    format!(
        r#"
resource "aws_vpc" "main" {{ cidr_block = "10.0.0.0/16" }}
resource "aws_internet_gateway" "main" {{ vpc_id = aws_vpc.main.id }}
resource "aws_subnet" "public" {{
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}}
resource "aws_subnet" "inner" {{
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.2.0/24"
}}
resource "aws_route_table" "public" {{
  vpc_id = aws_vpc.main.id
  route {{
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }}
}}
resource "aws_route_table_association" "public" {{
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}}
resource "aws_security_group" "edge" {{
  vpc_id = aws_vpc.main.id
  ingress {{
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }}
  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
resource "aws_security_group" "app" {{
  vpc_id = aws_vpc.main.id
  {admits}
}}
resource "aws_instance" "app" {{
  ami                    = "ami-1"
  subnet_id              = aws_subnet.inner.id
  vpc_security_group_ids = [aws_security_group.app.id]
}}
{more}"#
    )
}

/// An inline rule for TCP 8080 of a peer.
fn admits(peer: &str) -> String {
    format!("ingress {{\n from_port = 8080\n to_port = 8080\n protocol = \"tcp\"\n {peer}\n }}")
}
