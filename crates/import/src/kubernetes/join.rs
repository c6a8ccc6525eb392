//! Joins what runs in clusters with what AWS runs: roles of service accounts, the cluster itself, and the resources that pods are told of.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture, Component, Diagnostic, Link, Node, Relation, Severity, Span, Text, Value};

use super::mention;

mod release;
#[cfg(test)]
mod tests;
mod told;

/// Adds the links between Kubernetes and AWS components. Call it once, when the components of all formats are there.
pub fn join(architecture: &mut Architecture) {
    architecture.links.sort();
    release::adopt_services(architecture);
    let releases = release::unrendered(architecture);
    let joiner = Joiner::new(architecture);
    let mut links = Vec::new();
    let mut diagnostics = Vec::new();
    joiner.roles(&mut links);
    joiner.clusters(&mut links, &mut diagnostics);
    joiner.access(&mut links);
    joiner.guards(&mut links);
    joiner.mentions(&releases, &mut links);
    architecture.links.extend(links);
    architecture.links.sort();
    architecture.links.dedup();
    architecture.diagnostics.extend(diagnostics);
}

struct Joiner<'a> {
    architecture: &'a Architecture,
    /// Service and name → components.
    by_name: BTreeMap<(&'a str, &'a str), Vec<&'a Component>>,
}

impl<'a> Joiner<'a> {
    fn new(architecture: &'a Architecture) -> Self {
        let mut by_name: BTreeMap<(&str, &str), Vec<&Component>> = BTreeMap::new();
        for component in architecture.components.values() {
            by_name.entry((component.service.as_str(), component.name.as_str())).or_default().push(component);
        }
        Self { architecture, by_name }
    }

    fn of_type(&self, component_type: &'a str) -> impl Iterator<Item = &'a Component> {
        self.architecture.components.values().filter(move |component| component.component_type == component_type)
    }

    /// The component of a service with that name: the only one, or the only one of the asking stack.
    fn named(&self, service: &str, name: &str, stack: &str) -> Option<&'a Component> {
        let all = self.by_name.get(&(service, name))?;
        // Versions, objects and the like carry the name of what they belong to; what is drawn comes first.
        let drawn: Vec<&Component> = all.iter().copied().filter(|component| component.is_element()).collect();
        let all: Vec<&Component> = if drawn.is_empty() { all.clone() } else { drawn };
        match all.as_slice() {
            [only] => Some(only),
            _ => {
                let mut own = all.iter().filter(|component| component.stack == stack);
                own.next().filter(|_| own.next().is_none()).copied()
            }
        }
    }

    /// Components that a text refers to by reference.
    fn referenced(&self, text: &Text) -> Vec<&'a Component> {
        text.references().filter_map(|(address, _)| self.architecture.component(&Address::new(address))).collect()
    }

    /// The role that a text means: a reference to it, or its ARN.
    fn role(&self, node: &Node, stack: &str) -> Option<&'a Component> {
        let text = node.value.as_text()?;
        if let Some(role) = self.referenced(text).into_iter().find(|component| component.component_type == "iam.role") {
            return Some(role);
        }
        // A module that is not at hand makes the role: which permissions it has is not known, that the pods hold them is.
        let of_module = text.references().find(|(_, attribute)| attribute.ends_with("role_arn")).map(|(address, _)| Address::new(address));
        if let Some(module) = of_module.and_then(|address| self.architecture.component(&address))
            && module.component_type == "terraform.module"
        {
            return Some(module);
        }
        let known = text.known()?;
        let name = known.split(":role/").nth(1)?.rsplit('/').next()?;
        self.named("iam", name, stack).filter(|component| component.component_type == "iam.role")
    }

    /// Roles that workloads hold: by the annotation of their ServiceAccount, or by a Pod Identity association.
    fn roles(&self, links: &mut Vec<Link>) {
        for workload in self.of_type("kubernetes.workload") {
            let account_link = self
                .architecture
                .links_from(&workload.address)
                .find(|link| link.relation == Relation::Other("uses_service_account".to_owned()));
            let annotated =
                account_link.and_then(|link| self.architecture.component(&link.to)).and_then(|account| account.setting("role_arn"));
            if let Some(annotation) = annotated
                && let Some(role) = self.role(annotation, &workload.stack)
            {
                links.push(link(workload, role, Relation::RunsAs, "service_account.role_arn", annotation.span));
            }
            let (namespace, account) = (workload.text("namespace"), workload.text("service_account"));
            for association in self.of_type("eks.pod_identity_association") {
                let same = association.text("namespace") == namespace && association.text("service_account") == account;
                if !same || namespace.is_none() {
                    continue;
                }
                let given = self.architecture.links_from(&association.address);
                for given in given.filter(|link| link.relation == Relation::Other("gives_role".to_owned())) {
                    if let Some(role) = self.architecture.component(&given.to) {
                        let span = given.span.or(association.span).or(workload.span);
                        links.extend(span.map(|span| link(workload, role, Relation::RunsAs, "pod_identity", span)));
                    }
                }
            }
        }
    }

    /// The cluster that everything in the manifests runs in.
    fn clusters(&self, links: &mut Vec<Link>, diagnostics: &mut Vec<Diagnostic>) {
        let clusters: Vec<&Component> = self.of_type("eks.cluster").collect();
        if clusters.is_empty() {
            return;
        }
        let mut undecided: BTreeMap<&str, (usize, Option<Span>)> = BTreeMap::new();
        for component in self.architecture.components.values().filter(|component| component.service == "kubernetes") {
            let inside = component.is_element() || component.component_type == "kubernetes.namespace";
            if !inside {
                continue;
            }
            match (cluster_of(component, &clusters), component.span) {
                (Some(cluster), Some(span)) => links.push(link(component, cluster, Relation::PartOf, "cluster", span)),
                (Some(_), None) => {}
                (None, span) => {
                    let entry = undecided.entry(&component.stack).or_insert((0, span));
                    entry.0 += 1;
                }
            }
        }
        let names: Vec<String> = clusters.iter().map(|cluster| format!("`{}`", cluster.address)).collect();
        for (stack, (n, span)) in undecided {
            let place = if stack.is_empty() { "the root".to_owned() } else { format!("`{stack}`") };
            let message = format!("it is not known which of {} clusters runs the {n} components of {place}", clusters.len());
            let help =
                format!("keep manifests beside the cluster's Terraform, or in a folder named after the cluster: {}", names.join(", "));
            diagnostics.push(Diagnostic::new("kubernetes/which-cluster", Severity::Warning, message, span).with_help(help));
        }
    }

    /// Kubernetes groups of access entries that bindings name.
    fn access(&self, links: &mut Vec<Link>) {
        for entry in self.of_type("eks.access_entry") {
            let groups: BTreeSet<String> = entry.settings.get("kubernetes_groups").map(texts).unwrap_or_default();
            for binding in self.of_type("kubernetes.role_binding") {
                let subjects = binding.settings.get("subjects").and_then(|subjects| subjects.value.as_list()).unwrap_or(&[]);
                for subject in subjects {
                    let is_group = subject.get("kind").and_then(|kind| kind.value.as_str()).as_deref() == Some("Group");
                    let name = subject.get("name").and_then(|name| name.value.as_str());
                    if is_group && name.is_some_and(|name| groups.contains(name.as_ref())) {
                        links.push(link(entry, binding, Relation::Other("member_of".to_owned()), "kubernetes_groups", subject.span));
                    }
                }
            }
        }
    }

    /// Security groups of pods, and what manifests attach to load balancers.
    fn guards(&self, links: &mut Vec<Link>) {
        for policy in self.of_type("kubernetes.security_group_policy") {
            let Some(groups) = policy.setting("security_groups") else { continue };
            let mut found = Vec::new();
            groups.for_each_text(&mut |text, node| {
                let group = self.referenced(text).into_iter().find(|component| component.component_type.ends_with("security_group"));
                found.extend(group.map(|group| (group, node.span)));
            });
            let picked = self.architecture.links_from(&policy.address);
            for pick in picked.filter(|link| link.relation == Relation::Other("gives_security_groups".to_owned())) {
                if let Some(workload) = self.architecture.component(&pick.to) {
                    links.extend(found.iter().map(|(group, span)| link(workload, group, Relation::GuardedBy, "security_groups", *span)));
                }
            }
        }
        let balancers = self.of_type("kubernetes.ingress").chain(self.of_type("kubernetes.service"));
        for balancer in balancers {
            for (setting, relation) in [("security_groups", Relation::GuardedBy), ("web_acl", Relation::ProtectedBy)] {
                let Some(node) = balancer.setting(setting) else { continue };
                node.for_each_text(&mut |text, node| {
                    for target in self.referenced(text) {
                        links.push(link(balancer, target, relation.clone(), setting, node.span));
                    }
                });
                if let Some(name) =
                    node.value.as_str().filter(|text| text.contains(":wafv2:")).and_then(|arn| arn.rsplit('/').nth(1).map(str::to_owned))
                    && let Some(acl) = self.named("wafv2", &name, &balancer.stack)
                {
                    links.push(link(balancer, acl, relation, setting, node.span));
                }
            }
        }
    }

    /// What pods and releases are told of: flows to what they reach by host name, mentions of the rest.
    fn mentions(&self, releases: &release::Unrendered, links: &mut Vec<Link>) {
        for workload in self.of_type("kubernetes.workload") {
            let told = told_texts(workload);
            self.told(workload, &told, links);
            self.told_of_releases(workload, &told, releases, links);
        }
        for (address, texts) in releases {
            let Some(component) = self.architecture.component(address) else { continue };
            let told: Vec<(String, &Node)> = texts.iter().map(|(attribute, node)| (attribute.clone(), node)).collect();
            self.told(component, &told, links);
            self.told_of_releases(component, &told, releases, links);
        }
    }

    /// AWS resources among the texts.
    fn told(&self, workload: &Component, told: &[(String, &Node)], links: &mut Vec<Link>) {
        let mut reached = BTreeSet::new();
        let mut mentioned = Vec::new();
        for (attribute, node) in told {
            let Value::Text(text) = &node.value else { continue };
            let mut targets = self.referenced(text);
            for candidate in mention::candidates(attribute, &text.to_string()) {
                targets.extend(candidate.services.iter().find_map(|service| self.named(service, &candidate.name, &workload.stack)));
            }
            for target in targets.into_iter().filter(|target| target.service != "kubernetes") {
                match told::flow(target, attribute, text, told) {
                    Some(spec) => {
                        reached.insert(&target.address);
                        links.push(link(workload, target, Relation::Flow(spec), attribute, node.span));
                    }
                    // Of a module that is not at hand, an image, a role or a password may come as well as an endpoint.
                    None if target.component_type == "terraform.module" && !told::names_resource(attribute) => {}
                    None => mentioned.push((target, link(workload, target, Relation::Mentions, attribute, node.span))),
                }
            }
        }
        // A database's name beside its endpoint says nothing more.
        links.extend(mentioned.into_iter().filter(|(target, _)| !reached.contains(&target.address)).map(|(_, link)| link));
    }

    /// Services of releases whose chart is not at hand, by the names that charts customarily give them.
    fn told_of_releases(&self, from: &Component, told: &[(String, &Node)], releases: &release::Unrendered, links: &mut Vec<Link>) {
        let mut seen = BTreeSet::new();
        let from_release = releases.contains_key(&from.address);
        for (attribute, node) in told {
            let Value::Text(text) = &node.value else { continue };
            for (endpoint, spec) in told::in_cluster(attribute, &text.to_string()) {
                let namespace = endpoint.namespace.or_else(|| from.text("namespace"));
                let mut targets = Vec::new();
                // Workloads find the Services of manifests by themselves.
                if from_release {
                    let service = self
                        .of_type("kubernetes.service")
                        .find(|service| service.name == endpoint.service && service.text("namespace") == namespace);
                    let behind = service.into_iter().flat_map(|service| self.architecture.links_from(&service.address));
                    let picked = behind.filter(|link| link.relation == Relation::Other("selects".to_owned()));
                    targets.extend(picked.filter_map(|link| self.architecture.component(&link.to)));
                }
                if targets.is_empty() {
                    let same =
                        |release: &&Component| release.text("namespace") == namespace && release::serves(&release.name, &endpoint.service);
                    let own_stack = |release: &&Component| release.stack == from.stack;
                    let all: Vec<&Component> =
                        releases.keys().filter_map(|address| self.architecture.component(address)).filter(same).collect();
                    targets.extend(all.iter().copied().find(own_stack).or(all.first().copied()));
                }
                for target in targets.into_iter().filter(|target| target.address != from.address) {
                    if seen.insert((target.address.clone(), spec.protocol.clone(), spec.port)) {
                        links.push(link(from, target, Relation::Flow(spec.clone()), attribute, node.span));
                    }
                }
            }
        }
    }
}

/// The texts that a workload is told, by their attribute.
fn told_texts(workload: &Component) -> Vec<(String, &Node)> {
    let mentions = workload.settings.get("mentions").and_then(|mentions| mentions.value.as_list()).unwrap_or(&[]);
    let text = |mention: &'_ Node| mention.get("attribute").and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
    mentions.iter().filter_map(|mention| text(mention).zip(mention.get("text"))).collect()
}

fn link(from: &Component, to: &Component, relation: Relation, attribute: &str, span: Span) -> Link {
    Link { from: from.address.clone(), to: to.address.clone(), relation, attribute: attribute.to_owned(), span: Some(span) }
}

fn texts(node: &Node) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    node.for_each_text(&mut |text, _| out.extend(text.known().map(std::borrow::Cow::into_owned)));
    out
}

/// The only cluster; else that of the same stack; else the one whose name is a folder on the way to the manifest.
fn cluster_of<'a>(component: &Component, clusters: &[&'a Component]) -> Option<&'a Component> {
    let only = |mut matching: Box<dyn Iterator<Item = &&'a Component> + '_>| {
        let first = matching.next()?;
        matching.next().is_none().then_some(*first)
    };
    if let [cluster] = clusters {
        return Some(cluster);
    }
    only(Box::new(clusters.iter().filter(|cluster| cluster.stack == component.stack)))
        .or_else(|| only(Box::new(clusters.iter().filter(|cluster| component.stack.split('/').any(|part| part == cluster.name)))))
        .or_else(|| only(Box::new(clusters.iter().filter(|cluster| is_below(&component.stack, &cluster.stack)))))
}

fn is_below(folder: &str, parent: &str) -> bool {
    !parent.is_empty() && folder.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}
