//! Links that the objects themselves state: selectors, references by name, routes.

use bartizan_model::{FlowSpec, Link, Node, Relation, Span};

use super::flows::{port_span, protocol, target_port};
use super::lower::{restricts, security_groups_apply, service_is_element, service_type, variables};
use super::object::{DEFAULT_NAMESPACE, Object, list_at, plain_text, port, text_at};
use super::select::{Index, matches};

/// All links of one set of objects.
pub(super) fn links(index: &Index<'_>) -> Vec<Link> {
    let mut out = Links { out: Vec::new(), index };
    for object in index.objects {
        if object.is_workload() {
            out.workload(object);
            continue;
        }
        match object.kind.as_str() {
            "Service" => out.service(object),
            "Ingress" => out.ingress(object),
            "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute" => out.gateway_route(object),
            "VirtualService" => out.virtual_service(object),
            "RoleBinding" | "ClusterRoleBinding" => out.binding(object),
            "NetworkPolicy" => out.restriction(object, "restricts", &|workload| {
                restricts(object, workload, "Ingress") || restricts(object, workload, "Egress")
            }),
            "SecurityGroupPolicy" => out.restriction(object, "gives_security_groups", &|workload| security_groups_apply(object, workload)),
            "PodDisruptionBudget" => {
                if let Some(selector) = object.node.first_at("spec.selector") {
                    out.restriction(object, "limits_disruption_of", &|workload| matches(selector, workload));
                }
            }
            "HorizontalPodAutoscaler" | "ScaledObject" => out.scaler(object),
            _ => {}
        }
        out.in_namespace(object);
    }
    out.out
}

struct Links<'i, 'a> {
    out: Vec<Link>,
    index: &'i Index<'a>,
}

impl<'a> Links<'_, 'a> {
    fn push(&mut self, from: &Object, to: &Object, relation: Relation, attribute: &str, span: Span) {
        if from.address != to.address {
            self.out.push(Link {
                from: from.address.clone(),
                to: to.address.clone(),
                relation,
                attribute: attribute.to_owned(),
                span: Some(span),
            });
        }
    }

    fn other(&mut self, from: &Object, to: &Object, word: &str, attribute: &str, span: Span) {
        self.push(from, to, Relation::Other(word.to_owned()), attribute, span);
    }

    /// `part_of` the Namespace, where the files declare it.
    fn in_namespace(&mut self, object: &Object) {
        let Some(name) = &object.namespace else { return };
        let all: Vec<&Object> = self.index.of_kind("Namespace").filter(|namespace| namespace.name == *name).collect();
        let own = all.iter().find(|namespace| namespace.stack == object.stack).or(all.first()).copied();
        if let Some(namespace) = own {
            let span = object.node.first_at("metadata.namespace").map_or(object.span, |node| node.span);
            self.push(object, namespace, Relation::PartOf, "namespace", span);
        }
    }

    fn workload(&mut self, object: &Object) {
        self.in_namespace(object);
        let Some(pod) = object.pod_spec() else { return };
        let named = pod.get("serviceAccountName").or_else(|| pod.get("serviceAccount"));
        let account = named.and_then(plain_text).unwrap_or_else(|| "default".to_owned());
        if let Some(found) = self.index.find("ServiceAccount", object.namespace(), &account, &object.stack) {
            self.other(object, found, "uses_service_account", "service_account", named.map_or(object.span, |node| node.span));
        }
        for name in variables(object, self.index).secrets {
            let text = plain_text(&name).unwrap_or_default();
            for kind in ["Secret", "ExternalSecret"] {
                if let Some(secret) = self.index.find(kind, object.namespace(), &text, &object.stack) {
                    self.other(object, secret, "reads_secret", "secrets", name.span);
                }
            }
        }
        for volume in list_at(pod, "volumes") {
            let by = |path: &str, kind: &str| {
                let name = volume.first_at(path)?;
                let found = self.index.find(kind, object.namespace(), &plain_text(name)?, &object.stack)?;
                Some((found, name.span))
            };
            let claim = by("persistentVolumeClaim.claimName", "PersistentVolumeClaim");
            let provider = by("csi.volumeAttributes.secretProviderClass", "SecretProviderClass");
            if let Some((found, span)) = claim {
                self.other(object, found, "mounts", "volumes", span);
            }
            if let Some((found, span)) = provider {
                self.other(object, found, "reads_secret", "volumes", span);
            }
        }
        let maps =
            pod.at("containers.envFrom.configMapRef.name").into_iter().chain(pod.at("containers.env.valueFrom.configMapKeyRef.name"));
        for name in maps.chain(pod.at("volumes.configMap.name")) {
            let text = plain_text(name).unwrap_or_default();
            if let Some(found) = self.index.find("ConfigMap", object.namespace(), &text, &object.stack) {
                self.other(object, found, "configured_by", "environment", name.span);
            }
        }
    }

    fn service(&mut self, service: &Object) {
        let span = service.node.first_at("spec.selector").map_or(service.span, |node| node.span);
        let outside = service_type(service) != "ClusterIP";
        for workload in self.index.behind(service) {
            self.other(service, workload, "selects", "selector", span);
            if outside {
                for entry in list_at(&service.node, "spec.ports") {
                    let why = format!("the Service `{}` sends its traffic to the pods that it selects", service.name);
                    let spec = to_pods(None, Some(entry), workload, why);
                    self.push(service, workload, Relation::Flow(spec), "ports", port_span(service, Some(entry)));
                }
            }
        }
    }

    /// Flows from what routes into the cluster to the pods behind a Service, or to the Service where its pods are not known.
    fn route_to(&mut self, from: &Object, service: &Object, wanted: Option<&Node>, span: Span) {
        self.other(from, service, "routes_to", "backends", span);
        let entry = list_at(&service.node, "spec.ports").iter().find(|entry| {
            wanted.is_none_or(|wanted| match port(wanted) {
                Some(number) => entry.get("port").and_then(port) == Some(number),
                None => text_at(entry, "name") == plain_text(wanted),
            })
        });
        let why = format!("{} `{}` routes to the Service `{}`", from.kind, from.name, service.name);
        let scheme = from
            .annotation("alb.ingress.kubernetes.io/backend-protocol")
            .and_then(plain_text)
            .or_else(|| from.annotation("nginx.ingress.kubernetes.io/backend-protocol").and_then(plain_text))
            .map(|scheme| scheme.to_ascii_lowercase());
        if service_is_element(service, self.index) {
            let number = entry.and_then(|entry| entry.get("port")).and_then(port).or_else(|| wanted.and_then(port));
            let (protocol, encrypted) = protocol(scheme.as_deref(), entry, service, number);
            let spec = FlowSpec { protocol: Some(protocol), port: number, encrypted, authentication: None, why };
            self.push(from, service, Relation::Flow(spec), "backends", span);
            return;
        }
        for workload in self.index.behind(service) {
            let spec = to_pods(scheme.as_deref(), entry, workload, why.clone());
            self.push(from, workload, Relation::Flow(spec), "backends", span);
        }
    }

    fn ingress(&mut self, ingress: &Object) {
        let backends = ingress.node.at("spec.rules.http.paths.backend").into_iter();
        let backends: Vec<&Node> = backends.chain(ingress.node.at("spec.defaultBackend")).chain(ingress.node.at("spec.backend")).collect();
        for backend in backends {
            // `serviceName` and `servicePort` are the spelling of the beta versions.
            let name = backend.first_at("service.name").or_else(|| backend.get("serviceName"));
            let number = backend
                .first_at("service.port.number")
                .or_else(|| backend.first_at("service.port.name"))
                .or_else(|| backend.get("servicePort"));
            if let Some((service, span)) = name.and_then(|name| self.find_service(name, ingress.namespace(), ingress)) {
                self.route_to(ingress, service, number, span);
            }
        }
    }

    fn find_service(&self, name: &Node, namespace: &str, from: &Object) -> Option<(&'a Object, Span)> {
        let service = self.index.find("Service", namespace, &plain_text(name)?, &from.stack)?;
        Some((service, name.span))
    }

    /// Routes of the Gateway API: from every gateway they attach to, to every backend they name.
    fn gateway_route(&mut self, route: &Object) {
        let mut gateways = Vec::new();
        for parent in list_at(&route.node, "spec.parentRefs") {
            let namespace = text_at(parent, "namespace").unwrap_or_else(|| route.namespace().to_owned());
            let name = text_at(parent, "name").unwrap_or_default();
            if let Some(gateway) = self.index.find("Gateway", &namespace, &name, &route.stack) {
                self.other(route, gateway, "attached_to", "parents", parent.span);
                gateways.push(gateway);
            }
        }
        for backend in route.node.at("spec.rules.backendRefs[]") {
            let namespace = text_at(backend, "namespace").unwrap_or_else(|| route.namespace().to_owned());
            let is_service = text_at(backend, "kind").is_none_or(|kind| kind == "Service");
            let Some((service, span)) =
                backend.get("name").filter(|_| is_service).and_then(|name| self.find_service(name, &namespace, route))
            else {
                continue;
            };
            self.other(route, service, "routes_to", "backends", span);
            for gateway in &gateways {
                self.route_to(gateway, service, backend.get("port"), span);
            }
        }
    }

    /// Routes of Istio: from the gateways they name, to the hosts of their destinations.
    fn virtual_service(&mut self, route: &Object) {
        let gateways: Vec<&Object> = list_at(&route.node, "spec.gateways")
            .iter()
            .filter_map(plain_text)
            .filter_map(|name| {
                let (namespace, name) =
                    name.split_once('/').map_or((route.namespace(), name.as_str()), |(namespace, name)| (namespace, name));
                self.index.find("Gateway", namespace, name, &route.stack)
            })
            .collect();
        let destinations = route.node.at("spec.http.route.destination").into_iter();
        for destination in
            destinations.chain(route.node.at("spec.tcp.route.destination")).chain(route.node.at("spec.tls.route.destination"))
        {
            let Some(host) = destination.get("host") else { continue };
            let text = plain_text(host).unwrap_or_default();
            let mut labels = text.split('.');
            let name = Node::text(labels.next().unwrap_or_default(), host.span);
            let namespace = labels.next().unwrap_or_else(|| route.namespace()).to_owned();
            let Some((service, span)) = self.find_service(&name, &namespace, route) else { continue };
            self.other(route, service, "routes_to", "backends", span);
            for gateway in &gateways {
                self.route_to(gateway, service, destination.first_at("port.number"), span);
            }
        }
    }

    fn binding(&mut self, binding: &Object) {
        let kind = text_at(&binding.node, "roleRef.kind").unwrap_or_default();
        let namespace = if kind == "ClusterRole" { DEFAULT_NAMESPACE } else { binding.namespace() };
        if let Some(name) = binding.node.first_at("roleRef.name")
            && let Some(role) = self.index.find(&kind, namespace, &plain_text(name).unwrap_or_default(), &binding.stack)
        {
            self.other(binding, role, "grants_role", "role", name.span);
        }
        for subject in list_at(&binding.node, "subjects") {
            if text_at(subject, "kind").as_deref() != Some("ServiceAccount") {
                continue;
            }
            let namespace = text_at(subject, "namespace").unwrap_or_else(|| binding.namespace().to_owned());
            let name = text_at(subject, "name").unwrap_or_default();
            if let Some(account) = self.index.find("ServiceAccount", &namespace, &name, &binding.stack) {
                self.other(binding, account, "binds", "subjects", subject.span);
            }
        }
    }

    fn restriction(&mut self, policy: &Object, word: &str, picks: &dyn Fn(&Object) -> bool) {
        let picked = self.index.selected(policy.namespace(), &policy.stack, picks);
        for workload in picked {
            self.other(policy, workload, word, "selector", policy.span);
        }
    }

    fn scaler(&mut self, scaler: &Object) {
        let kind = text_at(&scaler.node, "spec.scaleTargetRef.kind").unwrap_or_else(|| "Deployment".to_owned());
        let Some(name) = scaler.node.first_at("spec.scaleTargetRef.name") else { return };
        let target = self.index.workload(&kind, scaler.namespace(), &plain_text(name).unwrap_or_default(), &scaler.stack);
        if let Some(target) = target {
            self.other(scaler, target, "scales", "target", name.span);
        }
    }
}

/// The flow into the pods themselves, on their own port.
fn to_pods(scheme: Option<&str>, entry: Option<&Node>, workload: &Object, why: String) -> FlowSpec {
    let number = entry.and_then(|entry| target_port(entry, workload));
    let (protocol, encrypted) = protocol(scheme, entry, workload, number);
    FlowSpec { protocol: Some(protocol), port: number, encrypted, authentication: None, why }
}
