#!/usr/bin/env python3
"""How time grows with principals: `bartizan access` over generated plans, beside PMapper on the same principals.

    cargo build --release
    pip install principalmapper botocore      # only for the comparison; nothing of it is part of Bartizan
    python3 crates/cli/benches/principals.py

Each plan has users and roles (6 of 10) with inline policies of 1 to 4 statements; one in seven statements grants on everything, one in
twelve principals can escalate, some are denied all of IAM, 3 of 100 are administrators. The rest of the plan are buckets, tables and
functions that run as these roles. Both tools get the same policies and find who becomes whom; PMapper gets them as the objects that it
would have read from the account, and runs every check of its own that works without one. Times are of the whole work: Bartizan reads
the Terraform, reviews it and writes its JSON; PMapper begins with its objects in memory.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ACCOUNT = "111122223333"
SERVICES = ["lambda", "ec2", "ecs-tasks", "glue", "codebuild", "states", "sagemaker"]
USES = [
    "s3:GetObject", "s3:PutObject", "dynamodb:GetItem", "dynamodb:Query", "sqs:SendMessage", "sqs:ReceiveMessage", "sns:Publish",
    "kms:Decrypt", "secretsmanager:GetSecretValue", "ssm:GetParameter", "logs:PutLogEvents", "lambda:InvokeFunction",
    "kinesis:PutRecord", "states:StartExecution",
]
ESCALATES = [
    "iam:PassRole", "lambda:CreateFunction", "lambda:UpdateFunctionCode", "ec2:RunInstances", "iam:CreateAccessKey",
    "iam:AttachRolePolicy", "iam:PutUserPolicy", "sts:AssumeRole", "codebuild:StartBuild", "ssm:SendCommand", "glue:CreateJob",
    "iam:CreatePolicyVersion",
]
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def arn(kind, name):
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def statements(draw, n_roles, n_stores):
    """Statements of one principal."""
    found = []
    for _ in range(draw.randint(1, 4)):
        store = draw.randrange(n_stores)
        some = [f"arn:aws:s3:::bucket-{store}/*", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/table-{store}"]
        on = "*" if draw.random() < 0.15 else some
        found.append({"Effect": "Allow", "Action": draw.sample(USES, draw.randint(1, 4)), "Resource": on})
    if draw.random() < 0.08:
        on = "*" if draw.random() < 0.5 else arn("role", f"role-{draw.randrange(n_roles)}")
        found.append({"Effect": "Allow", "Action": draw.sample(ESCALATES, draw.randint(1, 3)), "Resource": on})
    if draw.random() < 0.1:
        found.append({"Effect": "Deny", "Action": ["iam:*"], "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": found}


def principals(n_principals, n_stores):
    """Users and roles: kind, name, policies, trust."""
    draw = random.Random(n_principals)
    n_roles = n_principals * 6 // 10
    found = []
    for number in range(n_principals):
        is_role = number < n_roles
        trust = None
        if is_role:
            service = {"Service": f"{draw.choice(SERVICES)}.amazonaws.com"}
            principal = service if draw.random() < 0.8 else {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}
        policies = [statements(draw, n_roles, n_stores)]
        if is_role and draw.random() < 0.05:
            policies.append(ADMINISTRATOR)
        found.append(("role" if is_role else "user", f"{'role' if is_role else 'user'}-{number}", policies, trust))
    return found


def terraform(found, n_components):
    """The plan as Terraform; functions, buckets and tables make up what is missing to the number of components."""
    out = [f'provider "aws" {{\n  region = "eu-west-1"\n  allowed_account_ids = ["{ACCOUNT}"]\n}}\n']
    roles = [name for kind, name, _, _ in found if kind == "role"]
    for kind, name, policies, trust in found:
        assume = f"  assume_role_policy = jsonencode({json.dumps(trust)})\n" if trust else ""
        out.append(f'resource "aws_iam_{kind}" "{name}" {{\n  name = "{name}"\n{assume}}}\n')
        for number, policy in enumerate(policies):
            out.append(
                f'resource "aws_iam_{kind}_policy" "{name}-{number}" {{\n  name = "{name}-{number}"\n  {kind} = aws_iam_{kind}.{name}.name\n'
                f"  policy = jsonencode({json.dumps(policy)})\n}}\n"
            )
    left = max(n_components - len(found), 0)
    for number in range(left):
        if number % 3 == 0:
            role = roles[number // 3 % len(roles)]
            out.append(
                f'resource "aws_lambda_function" "f{number}" {{\n  function_name = "fn-{number}"\n  role = aws_iam_role.{role}.arn\n'
                '  handler = "a.b"\n  runtime = "python3.13"\n}\n'
            )
        elif number % 3 == 1:
            out.append(f'resource "aws_s3_bucket" "b{number}" {{\n  bucket = "bucket-{number // 3}"\n}}\n')
        else:
            out.append(f'resource "aws_dynamodb_table" "t{number}" {{\n  name = "table-{number // 3}"\n  hash_key = "id"\n}}\n')
    return "".join(out)


def bartizan(binary, text):
    """Seconds, MiB at most, and how many principals escalate."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(text)
        written = Path(folder, "access.json")
        before = time.perf_counter()
        with written.open("wb") as out:
            child = subprocess.Popen([binary, "access", folder, "--format", "json"], stdout=out, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - before
        if status != 0:
            sys.exit(f"`bartizan access` ended with {status}")
        escalate = [entry for entry in json.loads(written.read_text())["principals"] if entry["escalates"] != "no"]
    return seconds, usage.ru_maxrss / 1024, len(escalate)


def pmapper(found):
    """Seconds, and how many principals become an administrator."""
    # It was written for a Python in which these names were still here.
    import collections
    import collections.abc

    for name in ("Mapping", "MutableMapping", "OrderedDict"):
        setattr(collections, name, getattr(collections.abc, name, None) or getattr(collections, name))
    from principalmapper.common import Node, Policy
    from principalmapper.graphing import autoscaling_edges, codebuild_edges, ec2_edges, gathering, iam_edges, lambda_edges
    from principalmapper.graphing import sagemaker_edges, ssm_edges, sts_edges

    nodes = []
    for kind, name, policies, trust in found:
        own = arn(kind, name)
        held = [Policy(own, f"{name}-{number}", policy) for number, policy in enumerate(policies)]
        profile = [f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}"] if trust and "ec2" in json.dumps(trust) else None
        nodes.append(Node(own, name, held, [], trust, profile, 0, False, False, None, False, {}))
    before = time.perf_counter()
    gathering.update_admin_status(nodes)
    edges = []
    for checks in (iam_edges, sts_edges, ec2_edges, ssm_edges, sagemaker_edges):
        edges += checks.generate_edges_locally(nodes)
    edges += lambda_edges.generate_edges_locally(nodes, [])
    edges += codebuild_edges.generate_edges_locally(nodes, None, [])
    edges += autoscaling_edges.generate_edges_locally(nodes, None, [])
    reached = {node.arn for node in nodes if node.is_admin}
    while more := {edge.source.arn for edge in edges if edge.destination.arn in reached} - reached:
        reached |= more
    return time.perf_counter() - before, len(reached)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="target/release/bartizan", help="Bartizan's command")
    parser.add_argument("--sizes", type=int, nargs="+", default=[110, 1000, 3000, 10000], help="numbers of principals")
    parser.add_argument("--components", type=int, default=20_000, help="components of each plan, at least (default: 20,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of Bartizan, of which the fastest counts")
    parser.add_argument("--pmapper-up-to", type=int, default=110, help="most principals that PMapper gets; its time grows with their square")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(f"{'principals':>10} {'components':>10} | {'Bartizan':>9} {'memory':>9} {'escalate':>8} | {'PMapper':>9} {'reach admin':>11}")
    for n_principals in options.sizes:
        found = principals(n_principals, max((options.components - n_principals) // 3, 1))
        text = terraform(found, options.components)
        runs = [bartizan(options.bin, text) for _ in range(options.runs)]
        seconds, memory, escalate = min(runs)
        line = f"{n_principals:>10} {max(options.components, n_principals):>10} | {seconds:>7.2f} s {memory:>5.0f} MiB {escalate:>8} | "
        if n_principals <= options.pmapper_up_to:
            try:
                took, reached = pmapper(found)
                line += f"{took:>7.2f} s {reached:>11}"
            except ImportError:
                line += "not installed: pip install principalmapper botocore"
        print(line, flush=True)


if __name__ == "__main__":
    main()
