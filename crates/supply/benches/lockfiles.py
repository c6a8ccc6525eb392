#!/usr/bin/env python3
"""Compares the packages of lock files with Trivy's and with a plain reading of the same files, then the vulnerabilities, then the time.

Needs Python 3.11 or later with PyYAML; `trivy` is asked where it is on the path.
Usage: lockfiles.py [--bartizan PROGRAM] --database FILE [--trivy-cache FOLDER] [--runs N] FOLDER...
Each lock file below the folders is read alone, equal ones once.
Vulnerabilities are compared where the cache holds a database of Trivy with the same advisories as the file.
"""

import argparse
import collections
import hashlib
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import yaml


def of_toml(text):
    return {(package["name"], package.get("version", "")) for package in tomllib.loads(text).get("package", [])}


def of_pipenv(text):
    sections = [section for name, section in json.loads(text).items() if name != "_meta"]
    return {(name, entry["version"].removeprefix("==")) for section in sections for name, entry in section.items() if entry.get("version")}


def of_composer(text):
    lock = json.loads(text)
    return {(package["name"], package["version"]) for section in ("packages", "packages-dev") for package in lock.get(section) or []}


def of_bundler(text):
    section, found = "", set()
    for line in text.splitlines():
        section = line if line[:1].strip() else section
        if section in ("GEM", "GIT", "PATH", "PLUGIN SOURCE") and (match := re.fullmatch(r" {4}(\S+) \(([^)-]+)(-[^)]*)?\)", line)):
            found.add(match.group(1, 2))
    return found


def of_nuget(text):
    frameworks = json.loads(text)["dependencies"].values()
    return {(name, entry["resolved"]) for packages in frameworks for name, entry in packages.items() if "resolved" in entry}


def of_packages_config(text):
    return {(package.get("id"), package.get("version")) for package in ElementTree.fromstring(text).iter("package")}


def of_gradle(text):
    coordinates = [line.split("=")[0].rsplit(":", 1) for line in text.splitlines() if line.strip() and not line.startswith(("#", "empty="))]
    return {tuple(coordinate) for coordinate in coordinates}


def of_pnpm(text):
    found = set()
    for lock in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        is_old = str(lock["lockfileVersion"]).startswith("5")
        pattern = r"(?:[^@/]+)?/((?:@[^/]+/)?[^/]+)/([^/_]+)(?:_.*)?" if is_old else r"/?((?:@[^/@]+/)?[^@/]+)@([^(]+)(?:\(.*)?"
        for key, package in (lock.get("packages") or {}).items():
            match = re.fullmatch(pattern, key)
            name, version = package.get("name") or match and match[1], package.get("version") or match and match[2]
            if name and version and not re.search("[:/]", version):
                found.add((name, version))
    return found


READERS = {"Gemfile.lock": of_bundler, "Pipfile.lock": of_pipenv, "buildscript-gradle.lockfile": of_gradle, "composer.lock": of_composer,
           "gems.locked": of_bundler, "gradle.lockfile": of_gradle, "packages.config": of_packages_config, "packages.lock.json": of_nuget,
           "pdm.lock": of_toml, "pnpm-lock.yaml": of_pnpm, "poetry.lock": of_toml, "uv.lock": of_toml}
# Trivy leaves out what these say to serve only development.
WITHOUT_DEVELOPMENT = ("Pipfile.lock", "composer.lock", "packages.config", "pnpm-lock.yaml")


def canonical(name, version, is_python):
    return (re.sub(r"[-_.]+", "-", name.lower()) if is_python else name), version.removeprefix("v")


def bartizan(arguments, folder):
    command = [arguments.bartizan, "scan", folder, "--database", arguments.database, "--format", "json"]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)


def trivy(arguments, folder, scanner):
    command = ["trivy", "fs", "--quiet", "--list-all-pkgs", "--include-dev-deps", "--scanners", scanner, "--offline-scan", "--skip-db-update",
               "--skip-java-db-update", "--format", "json", *(["--cache-dir", arguments.trivy_cache] if arguments.trivy_cache else []), folder]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout).get("Results") or []


def distinct(folders):
    known = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.name in READERS and path.is_file()):
        known.setdefault((path.name, hashlib.sha256(path.read_bytes()).digest()), path)
    return list(known.values())


def compare_packages(arguments, paths):
    totals = collections.defaultdict(collections.Counter)
    for path in paths:
        is_python = READERS[path.name] in (of_toml, of_pipenv)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(path, folder)
            packages = bartizan(arguments, folder)["packages"]
            results = trivy(arguments, folder, "license") if shutil.which("trivy") else []
        ours, own, development = (
            {canonical(package["name"], package["version"], is_python) for package in packages if is_meant(package)}
            for is_meant in (lambda _: True, lambda package: package["origin"] == "own", lambda package: package["development"]))
        theirs = {canonical(package["Name"], package["Version"], is_python)
                  for result in results for package in result.get("Packages") or [] if package.get("Version")}
        try:
            read = {canonical(name, version, is_python) for name, version in READERS[path.name](path.read_text("utf-8-sig"))}
        except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError, ElementTree.ParseError) as error:
            print(f"{path}: no plain reading: {error}")
            read = ours
        excused = own | (development if path.name in WITHOUT_DEVELOPMENT else set())
        total = totals[path.name]
        total.update({"files": 1, "packages": len(ours), "trivy's": len(theirs), "readings'": len(read)})
        if results:
            report(path, "trivy", ours - excused, ours | excused, theirs, total)
        else:
            total["files that trivy does not read"] += 1
        report(path, "reading", ours - own, ours, read, total)
    for name, total in sorted(totals.items()):
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in total.items() if count or what == 'packages')}")


def report(path, other, needed, allowed, theirs, total):
    for sign, packages in (("+", needed - theirs), ("-", theirs - allowed)):
        total[f"{sign} {other}"] += len(packages)
        for package in sorted(packages)[:20]:
            print(f"{path}: {other} {sign} {' '.join(package)}")


def compare_vulnerabilities(arguments, folder):
    document, results = bartizan(arguments, folder), trivy(arguments, folder, "vuln")
    packages = document["packages"]

    def key(file, name, version):
        return file, *canonical(name, version, READERS.get(Path(file).name) in (of_toml, of_pipenv))

    def of(package):
        return key(package["file"], package["name"], package["version"])

    own = {of(package) for package in packages if package["origin"] == "own"}
    ours = {(*of(packages[entry["package"]]), name) for entry in document["vulnerabilities"] for name in entry["advisories"]}
    theirs = {(*key(result["Target"], entry["PkgName"], entry["InstalledVersion"]), entry["VulnerabilityID"])
              for result in results for entry in result.get("Vulnerabilities") or []}
    known = {key(result["Target"], package["Name"], package.get("Version", "")) for result in results for package in result.get("Packages") or []}
    common = {of(package) for package in packages} & known - own
    ours, theirs = ({entry for entry in side if entry[:3] in common} for side in (ours, theirs))
    print(f"{folder}: {len(common)} packages in common; vulnerabilities: ours {len(ours)}, trivy's {len(theirs)}, equal {len(ours & theirs)}")
    for sign, entries in (("+", ours - theirs), ("-", theirs - ours)):
        for entry in sorted(entries)[:200]:
            print(f"  {sign} {' '.join(entry)}")


def timed(runs, function, *options):
    seconds = []
    for _ in range(runs):
        start = time.monotonic()
        function(*options)
        seconds.append(time.monotonic() - start)
    return f"at best {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--bartizan", default="bartizan")
    parser.add_argument("--database", required=True)
    parser.add_argument("--trivy-cache")
    parser.add_argument("--runs", type=int, default=0)
    arguments = parser.parse_args()
    compare_packages(arguments, distinct(arguments.folders))
    for folder in arguments.folders if arguments.trivy_cache and shutil.which("trivy") else []:
        compare_vulnerabilities(arguments, folder)
        if arguments.runs:
            print(f"  bartizan {timed(arguments.runs, bartizan, arguments, folder)}")
            print(f"  trivy {timed(arguments.runs, trivy, arguments, folder, 'vuln')}")


if __name__ == "__main__":
    main()
