//! Version 1 of the machine formats: own types, so that a change of the vocabulary never changes the format by accident.
//!
//! The schema is generated from the types that are written; secrets are hidden as in every report.

mod architecture;
mod paths;
mod permissions;
mod response;
mod threat;
mod value;

use bartizan_model::Architecture;
use bartizan_review::Review;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::baseline::Baseline;
use crate::difference::Difference;

pub use architecture::{ArchitectureDto, AssetDto, BoundaryDto, ComponentDto, DiagnosticDto, FlowDto, Origin, ReasonDto, RelatedDto};
pub use paths::{
    ACCESS, AccessDto, AttackPathDto, CutDto, EdgeDto, FurtherPathDto, PATHS, PathStepDto, PathsDto, PrincipalDto, access, paths,
};
pub use permissions::PermissionDto;
pub use response::{AlarmDto, FixDto, InOrderDto, MitigationDto, QuestionDto, RecoveryDto, ResponseDto, RunbookDto, TrainingDto};
pub use threat::{EvidenceDto, LevelsDto, RiskDto, ScoreDto, TermDto, ThreatDto};

/// Name of the review's format.
pub const REVIEW: &str = "bartizan/review/1";
/// Name of the model's format.
pub const MODEL: &str = "bartizan/model/1";
/// Names that [`schema`] knows.
pub const SCHEMAS: [&str; 6] = ["review", "model", "access", "paths", "diff", "baseline"];

/// The whole review.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/review/1")]
pub struct ReviewDto {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/review/1"))]
    pub schema: String,
    /// The architecture under review.
    pub architecture: ArchitectureDto,
    /// Threats, worst first.
    pub threats: Vec<ThreatDto>,
    /// Attack paths, first where likelihood times worth of the goal is most.
    pub attack_paths: Vec<AttackPathDto>,
    /// Attack paths beyond those, in the same order: what two reviews are compared by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_paths: Vec<FurtherPathDto>,
    /// Statements of all policies as they are written, sorted; nothing of it is decided.
    pub permissions: Vec<PermissionDto>,
    /// One risk per threat, highest residual risk first.
    pub risks: Vec<RiskDto>,
    /// Mitigations, most risk reduced first.
    pub mitigations: Vec<MitigationDto>,
    /// Alarms, recovery and runbooks.
    pub response: ResponseDto,
    /// What only the teams can answer.
    pub questions: Vec<QuestionDto>,
    /// What was checked and found good.
    pub in_order: Vec<InOrderDto>,
    /// Training outline.
    pub training: Vec<TrainingDto>,
    /// Problems of input, catalogue or tool.
    pub diagnostics: Vec<DiagnosticDto>,
}

/// The architecture alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/model/1")]
pub struct ModelDto {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/model/1"))]
    pub schema: String,
    /// The architecture.
    #[serde(flatten)]
    pub architecture: ArchitectureDto,
    /// Problems of the input.
    pub diagnostics: Vec<DiagnosticDto>,
}

/// The review as `bartizan/review/1`.
pub fn review(review: &Review) -> ReviewDto {
    let architecture = &review.architecture;
    let sources = &architecture.sources;
    ReviewDto {
        schema: REVIEW.to_owned(),
        architecture: ArchitectureDto::of(architecture),
        threats: review.threats.iter().map(|threat| ThreatDto::of(threat, sources)).collect(),
        attack_paths: review.attack_paths.iter().map(|path| AttackPathDto::of(path, sources)).collect(),
        further_paths: review.further_paths.iter().map(FurtherPathDto::of).collect(),
        permissions: review.attack.permissions.iter().map(|permission| PermissionDto::of(permission, sources)).collect(),
        risks: threat::risks(&review.threats),
        mitigations: review.mitigations.iter().map(|mitigation| MitigationDto::of(mitigation, sources)).collect(),
        response: ResponseDto::of(&review.response, sources),
        questions: review.questions.iter().map(|question| QuestionDto::of(question, sources)).collect(),
        in_order: review.in_order.iter().map(|checked| InOrderDto::of(checked, sources)).collect(),
        training: review.training.iter().map(TrainingDto::of).collect(),
        diagnostics: architecture
            .diagnostics
            .iter()
            .chain(&review.diagnostics)
            .map(|diagnostic| DiagnosticDto::of(diagnostic, sources))
            .collect(),
    }
}

/// The architecture as `bartizan/model/1`.
pub fn model(architecture: &Architecture) -> ModelDto {
    ModelDto {
        schema: MODEL.to_owned(),
        architecture: ArchitectureDto::of(architecture),
        diagnostics: architecture.diagnostics.iter().map(|diagnostic| DiagnosticDto::of(diagnostic, &architecture.sources)).collect(),
    }
}

/// The JSON Schema of a format by its short name, `review` or `model`.
pub fn schema(name: &str) -> Option<Value> {
    match name {
        "review" => Some(schemars::schema_for!(ReviewDto).to_value()),
        "model" => Some(schemars::schema_for!(ModelDto).to_value()),
        "access" => Some(schemars::schema_for!(AccessDto).to_value()),
        "paths" => Some(schemars::schema_for!(PathsDto).to_value()),
        "baseline" => Some(schemars::schema_for!(Baseline).to_value()),
        "diff" => Some(schemars::schema_for!(Difference).to_value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{SCHEMAS, access, model, paths, review, schema};
    use crate::fixture;

    fn as_value(dto: &impl serde::Serialize) -> Value {
        serde_json::to_value(dto).expect("only strings are keys")
    }

    fn errors(name: &str, document: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(&schema(name).expect("a known name")).expect("a valid schema");
        validator.iter_errors(document).map(|error| format!("{} at {}", error, error.instance_path())).collect()
    }

    #[test]
    fn what_is_written_is_valid_against_the_schema_of_its_types() {
        let shop = fixture::shop();
        assert_eq!(errors("review", &as_value(&review(&shop))), Vec::<String>::new());
        assert_eq!(errors("model", &as_value(&model(&shop.architecture))), Vec::<String>::new());
        assert_eq!(errors("paths", &as_value(&paths(&shop.architecture, &shop.attack, &shop.attack_paths))), Vec::<String>::new());
        assert_eq!(errors("access", &as_value(&access(&shop.architecture, shop.attack.access()))), Vec::<String>::new());
        assert!(SCHEMAS.iter().all(|name| schema(name).is_some()));
        assert_eq!(schema("nothing"), None);
    }

    #[test]
    fn the_contract_of_the_model_holds() {
        let written = as_value(&model(&fixture::shop().architecture));
        assert_eq!(written["schema"], "bartizan/model/1");
        let bucket = written["components"].as_array().expect("a list").iter().find(|c| c["address"] == "aws_s3_bucket.uploads");
        let bucket = bucket.expect("the bucket is a component");
        assert_eq!(bucket["kind"], "data_store");
        assert_eq!(bucket["service"], "s3");
        assert_eq!(bucket["exposure"], "internet");
        assert_eq!(bucket["origin"], json!({"file": "main.tf", "line": 1, "column": 1}));
        assert_eq!(bucket["settings"]["versioning"], json!({"unknown": "variable `versioning` has no value"}));
        assert_eq!(bucket["settings"]["policy_arn"], "${aws_s3_bucket.uploads.arn}/*");
        let flow = &written["flows"][0];
        assert_eq!((&flow["from"], &flow["to"]), (&json!("internet"), &json!("aws_s3_bucket.uploads")));
        assert_eq!(flow["why"][0]["file"], "main.tf");
        assert_eq!(written["supporting"][0]["address"], "aws_iam_role.app");
    }

    #[test]
    fn the_contract_of_the_review_holds() {
        let written = as_value(&review(&fixture::shop()));
        assert_eq!(written["schema"], "bartizan/review/1");
        let threat = &written["threats"][0];
        assert_eq!(threat["status"], "open");
        assert_eq!(threat["severity"], "critical");
        assert_eq!(threat["likelihood"]["value"], 5);
        assert_eq!(threat["residual"]["risk"], 25);
        assert_eq!(threat["evidence"][0]["line"], 4);
        assert_eq!(threat["targets"][0], "aws_s3_bucket.uploads");
        assert_eq!(written["risks"][0]["threat"], threat["id"]);
    }

    #[test]
    fn secrets_do_not_leave_the_source() {
        let shop = fixture::shop();
        let written = as_value(&review(&shop)).to_string();
        assert!(!written.contains("hunter2"), "a literal password is in the output");
        assert!(written.contains("********"));
    }
}
