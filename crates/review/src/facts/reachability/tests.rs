//! Every construct of the specification, from real text: the verdict and the name of the element that decides it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::Address;

use super::super::endpoint::{Endpoints, endpoints};
use super::super::network::{Network, Protocol};
use super::super::verdict::Verdict;
use super::{FromInternet, from_internet, reaches};

mod acls;
mod addresses;
mod groups;
mod joins;
mod managed;
mod routes;
mod services;

static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/services/aws");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<(String, String)> =
        paths.iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect();
    Services::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))).0
});

/// A plan as the decisions see it.
struct Plan {
    network: Network,
    endpoints: Endpoints,
}

/// Reads one Terraform file.
fn terraform(text: &str) -> Plan {
    let tree = Tree::from_memory([("main.tf".to_owned(), text.to_owned())]);
    let architecture = bartizan_import::import(&tree, &SERVICES);
    let network = Network::read(&architecture);
    let endpoints = endpoints(&architecture, &network);
    Plan { network, endpoints }
}

impl Plan {
    fn internet(&self, address: &str) -> FromInternet {
        let endpoint = self.endpoints.get(&Address::new(address)).unwrap_or_else(|| panic!("no endpoint `{address}`"));
        from_internet(&self.network, endpoint)
    }

    /// The ports open to the whole internet for certain, as `22` or `8000-8100`; `*` for every one of every protocol.
    fn ports(&self, address: &str) -> Vec<String> {
        let openings = self.internet(address).openings;
        let open = openings.iter().filter(|opening| opening.verdict == Verdict::Yes);
        open.map(|opening| {
            let ports = match (&opening.protocol, opening.from_port, opening.to_port) {
                (Protocol::Any, _, _) => "*".to_owned(),
                (Protocol::Udp, from, to) => format!("udp {from}-{to}"),
                (_, from, to) if from == to => from.to_string(),
                (_, from, to) => format!("{from}-{to}"),
            };
            opening.only.map_or(ports.clone(), |only| format!("{ports} from {only}"))
        })
        .collect()
    }

    /// Asserts the verdict for the internet, and that what decides it is named.
    #[track_caller]
    fn assert_from_internet(&self, address: &str, verdict: Verdict, named: &str) {
        let found = self.internet(address);
        assert_eq!(found.verdict, verdict, "{address}: {found:?}");
        let texts: Vec<&str> = found.because.iter().chain(&found.reasons).map(|reason| reason.text.as_str()).collect();
        let decisive = found.because.as_ref().map_or_else(|| texts.join("\n"), |because| because.text.clone());
        let openings: String = found.openings.iter().map(|opening| opening.reason.text.as_str()).collect();
        assert!(decisive.contains(named) || verdict == Verdict::Yes && openings.contains(named), "`{named}` is not named: {found:?}");
    }

    /// Asserts the verdict for a pair and a TCP port, and that what decides it is named.
    #[track_caller]
    fn pair(&self, a: &str, b: &str, port: u16, verdict: Verdict, named: &str) {
        let endpoint = |address: &str| self.endpoints.get(&Address::new(address)).unwrap_or_else(|| panic!("no endpoint `{address}`"));
        let found = reaches(&self.network, endpoint(a), endpoint(b), &Protocol::Tcp, Some(port));
        assert_eq!(found.verdict, verdict, "{a} -> {b}: {found:?}");
        let texts: Vec<&str> = found.reasons.iter().map(|reason| reason.text.as_str()).collect();
        assert!(texts.iter().any(|text| text.contains(named)), "`{named}` is not named: {texts:?}");
        assert!(verdict != Verdict::No || found.reasons.iter().any(|reason| reason.kind == bartizan_model::ReasonKind::Block));
    }
}

/// A VPC with an internet gateway, a public and an inner subnet; `main.cidr` is known.
const VPC: &str = r#"
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }
resource "aws_subnet" "public" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.0.1.0/24"
  map_public_ip_on_launch = true
}
resource "aws_subnet" "inner" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.2.0/24"
}
resource "aws_route_table" "public" { vpc_id = aws_vpc.main.id }
resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}
"#;

const ROUTE: &str = r#"
resource "aws_route" "out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}
"#;

/// A security group `web` that admits TCP 22 of everyone.
const OPEN: &str = r#"
resource "aws_security_group" "web" {
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;

/// A host in the public subnet that carries the group `web`; `more` are further attributes.
fn host(more: &str) -> String {
    format!(
        "resource \"aws_instance\" \"web\" {{\n  ami = \"ami-1\"\n  subnet_id = aws_subnet.public.id\n  \
         vpc_security_group_ids = [aws_security_group.web.id]\n  {more}\n}}\n"
    )
}

/// A host on the internet, with further resources.
fn on_the_internet(more: &str) -> Plan {
    terraform(&format!("{VPC}{ROUTE}{OPEN}{}{more}", host("")))
}
