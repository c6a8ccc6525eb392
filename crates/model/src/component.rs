//! Components: what the system is made of.

use indexmap::IndexMap;

use crate::{Address, Node, Reason, Span, Text};

/// Shape of a component in a data flow diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Outside our control: the internet, a partner account, an operator, an AWS service's API.
    ExternalEntity,
    /// Code or a managed service that handles data on its way.
    Process,
    /// Keeps data.
    DataStore,
    /// Not drawn: it decides how others behave (role, security group, subnet, key).
    Supporting,
}

/// Who can reach a component at the network and resource-policy level, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exposure {
    /// Anyone on the internet.
    Internet,
    /// Principals of other AWS accounts, by a resource policy.
    OtherAccounts,
    /// Principals of its own account, by IAM.
    Account,
    /// Hosts in its VPC or networks joined to it.
    Vpc,
    /// Pods of its cluster.
    Cluster,
    /// Nothing we know of.
    None,
}

/// One component. Settings use the catalogue's vocabulary, whichever format the source has.
#[derive(Clone, Debug)]
pub struct Component {
    /// Unique in an [`crate::Architecture`].
    pub address: Address,
    /// The source's type: `aws_s3_bucket`, `Deployment`.
    pub source_type: String,
    /// Short AWS name: `s3`, `lambda`, `eks`; `kubernetes` for what runs in a cluster; `external` for actors.
    pub service: String,
    /// The catalogue's type, the same for all source formats: `s3.bucket`, `kubernetes.workload`.
    pub component_type: String,
    /// Shape in the diagram.
    pub kind: Kind,
    /// What a reader calls it: its name in AWS where known, else the last part of its address.
    pub name: String,
    /// Its name in AWS as the source says it, perhaps with references in it; `None` where the source gives none.
    pub name_text: Option<Text>,
    /// The root module, template or manifest folder it comes from, relative to the reviewed root; empty for the root itself.
    pub stack: String,
    /// AWS account as far as the source tells: an id, or a symbolic name of the provider alias.
    pub account: Option<String>,
    /// AWS region as far as the source tells.
    pub region: Option<String>,
    /// The line that declares it; `None` for what no file declares (the internet).
    pub span: Option<Span>,
    /// Settings by the catalogue's names. A missing key: the source format has no such setting. [`crate::Value::Null`]: not set.
    pub settings: IndexMap<String, Node>,
    /// Tags, labels.
    pub tags: IndexMap<String, Node>,
    /// Exposure with its reasons; set by the review.
    pub exposure: Option<(Exposure, Vec<Reason>)>,
    /// Id of the innermost trust boundary it lies in; set by the review.
    pub boundary: Option<String>,
    /// Names of the assets it stores or handles; set by the review.
    pub assets: Vec<String>,
}

impl Component {
    /// The setting, where there is one that is not null.
    pub fn setting(&self, name: &str) -> Option<&Node> {
        self.settings.get(name).filter(|node| !node.value.is_null())
    }

    /// The known text of a setting.
    pub fn text(&self, name: &str) -> Option<String> {
        self.setting(name)?.value.as_str().map(std::borrow::Cow::into_owned)
    }

    /// The known truth value of a setting.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.setting(name)?.value.as_bool()
    }

    /// True when it is drawn in a data flow diagram.
    pub fn is_element(&self) -> bool {
        self.kind != Kind::Supporting
    }
}
