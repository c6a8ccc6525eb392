#!/usr/bin/env python3
"""Builds container images without a container engine and compares the packages that are found in them with those of Syft and Trivy.

Needs root, Debian's packages binutils, mmdebstrap, python3-pip, rpm, skopeo and umoci, an npm of any origin, and the registries of Debian, PyPI and npm;
for an image with a database of Berkeley DB also the package berkeleydb of PyPI. `syft` and `trivy` are asked where they are on the path.
Usage: images.py [--out DIR] [--bartizan PROGRAM] [--compare-only]
"""

import argparse
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import time
import zlib
from pathlib import Path

SUITE = "bookworm"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, **options)


class Image:
    """An OCI layout that gets one layer after the other from a folder."""

    def __init__(self, out, name):
        self.name, self.layout, self.bundle = name, out / name, out / f"{name}.bundle"
        for folder in (self.layout, self.bundle):
            shutil.rmtree(folder, ignore_errors=True)
        run("umoci", "init", "--layout", self.layout)
        run("umoci", "new", "--image", f"{self.layout}:latest")
        run("umoci", "unpack", "--image", f"{self.layout}:latest", self.bundle)
        self.root = self.bundle / "rootfs"

    def layer(self, command):
        run("umoci", "repack", "--history.created_by", command, "--refresh-bundle", "--image", f"{self.layout}:latest", self.bundle)
        run("umoci", "gc", "--layout", self.layout)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def done(self):
        shutil.rmtree(self.bundle)
        return self.layout


def copy(source, target):
    target.unlink(missing_ok=True)
    run("skopeo", "copy", "--insecure-policy", f"oci:{source}:latest", f"docker-archive:{target}:example/{source.name}:1")
    return target


def language_packages(image, go_program):
    """Packages of five languages, none of them the distribution's."""
    site = image.root / "usr/local/lib/python3.11/dist-packages"
    run("pip", "install", "--no-compile", "--no-deps", "--target", site, "flask==2.2.2", "Jinja2==3.1.2", "urllib3==1.26.5")
    image.layer("RUN pip install flask")
    app = image.root / "app"
    app.mkdir(exist_ok=True)
    (app / "package.json").write_text(json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"express": "4.17.1", "lodash": "4.17.15"}}))
    run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", cwd=app)
    image.layer("RUN npm install")
    image.write("usr/local/lib/ruby/gems/3.1.0/specifications/rack-2.2.3.gemspec",
                'Gem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "2.2.3"\nend\n')
    image.write("app/vendor/composer/installed.json", json.dumps({"packages": [{"name": "twig/twig", "version": "v2.4.0", "type": "library"}]}))
    image.write("app/service.deps.json", json.dumps({"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"}, "targets": {".NETCoreApp,Version=v8.0": {
        "Newtonsoft.Json/12.0.1": {"runtime": {"lib/netstandard2.0/Newtonsoft.Json.dll": {}}}}},
        "libraries": {"Newtonsoft.Json/12.0.1": {"type": "package", "serviceable": True, "sha512": "sha512-x", "path": "newtonsoft.json/12.0.1"}}}))
    (image.root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(go_program, image.root / "usr/local/bin/credentials")
    rust_program(image.root / "usr/local/bin/audited")
    image.layer("COPY . /app")
    # Moved and removed in upper layers.
    shutil.rmtree(site / "urllib3-1.26.5.dist-info")
    shutil.rmtree(app / "node_modules/lodash")
    image.layer("RUN rm -r urllib3 lodash")


def rust_program(path):
    """A program with the list that cargo-auditable adds."""
    packages = [{"name": "audited", "version": "0.1.0", "source": "local", "dependencies": [1, 2], "root": True},
                {"name": "smallvec", "version": "1.6.0", "source": "crates.io"}, {"name": "time", "version": "0.1.43", "source": "crates.io"},
                {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"}]
    listed = path.with_suffix(".dep-v0")
    listed.write_bytes(zlib.compress(json.dumps({"packages": packages}).encode()))
    run("objcopy", "--add-section", f".dep-v0={listed}", shutil.which("true"), path)
    listed.unlink()


def debian(out, name, packages):
    """A root by apt and dpkg, without what packages only recommend; once made, it is used again."""
    base = out / f"{name}.base"
    if not (base / "etc/debian_version").exists():
        run("mmdebstrap", "--quiet", "--variant=minbase", *([f"--include={','.join(packages)}"] if packages else []), SUITE, base, MIRROR)
    image = Image(out, name)
    run("cp", "-a", f"{base}/.", f"{image.root}/")
    shutil.rmtree(image.root / "var/cache/apt/archives", ignore_errors=True)
    image.layer(f"ADD {SUITE} /")
    return image, base


ALPINE = [("musl", "1.2.5-r0", "musl"), ("busybox", "1.36.1-r28", "busybox"), ("busybox-binsh", "1.36.1-r28", "busybox"),
          ("alpine-baselayout", "3.6.5-r0", "alpine-baselayout"), ("libcrypto3", "3.3.1-r0", "openssl"), ("libssl3", "3.3.1-r0", "openssl"),
          ("zlib", "1.3.1-r1", "zlib"), ("apk-tools", "2.14.4-r0", "apk-tools"), ("python3", "3.12.3-r1", "python3")]


def alpine(out, go_program):
    """A root as apk leaves it; its packages are not to be had from a registry that is reachable everywhere, so only their records are made."""
    image = Image(out, "alpine")
    image.write("etc/os-release", 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.0\nPRETTY_NAME="Alpine Linux v3.20"\n')
    image.write("etc/alpine-release", "3.20.0\n")

    def record(packages):
        text = ""
        for index, (name, version, origin) in enumerate(packages):
            text += f"C:Q1{'A' * 26}{index:02}=\nP:{name}\nV:{version}\nA:x86_64\nS:1\nI:1\nT:{name}\nU:https://example.org\nL:MIT\no:{origin}\n"
            text += "F:usr/lib/python3.12/site-packages/owned-1.0.dist-info\nR:METADATA\n\n" if name == "python3" else f"F:usr/share\nR:{name}\n\n"
        image.write("lib/apk/db/installed", text)

    record(ALPINE[:-1])
    image.layer("ADD alpine /")
    record(ALPINE)
    for name in ("owned", "own"):
        image.write(f"usr/lib/python3.12/site-packages/{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    image.layer("RUN apk add python3")
    language_packages(image, go_program)
    return image.done()


def built_rpms(build):
    """Packages of rpm, once built used again."""
    if built := sorted(build.glob("RPMS/noarch/*.rpm")):
        return built
    names = [("bash", "5.1.8", "9.el9", 0), ("openssl-libs", "3.0.7", "27.el9", 1), ("python3-idna", "2.10", "7.el9", 0), ("dbus", "1.12.20", "8.el9", 1)]
    names += [(f"library{index}", f"1.{index}", "1.el9", 0) for index in range(60)]
    built = []
    for name, version, release, epoch in names:
        spec = build / f"{name}.spec"
        spec.parent.mkdir(parents=True, exist_ok=True)
        files = "/usr/lib/python3.9/site-packages/idna-2.10.dist-info/METADATA" if name == "python3-idna" else f"/usr/share/doc/{name}/README"
        content = "Metadata-Version: 2.1\\nName: idna\\nVersion: 2.10\\n" if name == "python3-idna" else name * 300
        spec.write_text(f"Name: {name}\nVersion: {version}\nRelease: {release}\nEpoch: {epoch}\nSummary: {name}\nLicense: MIT\nBuildArch: noarch\n"
                        f"%description\n{name} {'long ' * 900}\n%install\nmkdir -p %{{buildroot}}$(dirname {files})\nprintf '{content}' > %{{buildroot}}{files}\n"
                        f"%files\n{files}\n")
        run("rpmbuild", "-bb", "--define", f"_topdir {build}", "--define", "_build_id_links none", spec, stderr=subprocess.DEVNULL)
    return sorted(build.glob("RPMS/noarch/*.rpm"))


ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n'
RPM_FOLDER = "var/lib/rpm"


def headers(out):
    """Numbers and headers of the packages that rpm has put into its SQLite database."""
    return sqlite3.connect(out / "rpmdb.sqlite").execute("SELECT hnum, blob FROM Packages ORDER BY hnum").fetchall()


def rpm(out, go_program):
    """A root with packages that are built here and installed with rpm into an SQLite database."""
    image = Image(out, "rpm")
    built = built_rpms(out / "rpm.build")
    image.write("etc/os-release", ROCKY)
    image.write("etc/rocky-release", "Rocky Linux release 9.4 (Blue Onyx)\n")
    database = ["rpm", "--root", image.root, "--dbpath", f"/{RPM_FOLDER}", "--define", "_db_backend sqlite", "--nodeps", "--noscripts"]
    run(*database, "-i", *built[: len(built) // 2])
    clean(image.root / RPM_FOLDER)
    image.layer("ADD rocky /")
    run(*database, "-i", *built[len(built) // 2 :])
    run(*database, "-e", "library3")
    clean(image.root / RPM_FOLDER)
    image.layer("RUN dnf install")
    shutil.copy(image.root / RPM_FOLDER / "rpmdb.sqlite", out)
    language_packages(image, go_program)
    return image.done()


def rpm_log(out):
    """The same database in a lower layer, and in an upper one a log that says that two packages are gone."""
    image = Image(out, "rpm-log")
    image.write("etc/os-release", ROCKY)
    image.write("etc/rocky-release", "Rocky Linux release 9.4 (Blue Onyx)\n")
    path = image.root / RPM_FOLDER / "rpmdb.sqlite"
    path.parent.mkdir(parents=True)
    shutil.copy(out / "rpmdb.sqlite", path)
    image.layer("ADD rocky /")
    open_path = out / "open.sqlite"
    shutil.copy(path, open_path)
    connection = sqlite3.connect(open_path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(open_path, path)
    connection.execute("DELETE FROM Packages WHERE hnum IN (SELECT hnum FROM Packages ORDER BY hnum LIMIT 2)")
    shutil.copy(f"{open_path}-wal", f"{path}-wal")
    connection.close()
    image.layer("RUN dnf remove")
    return image.done()


def rpm_ndb(out):
    """As SUSE keeps its packages. Debian's rpm does not write this form; a slot for each package, then the headers in blocks of 16 bytes."""
    image = Image(out, "rpm-ndb")
    image.write("etc/os-release", 'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"\n')
    packages = headers(out)
    slots, blobs = b"", b""
    for number, header in packages:
        body = struct.pack("<4s3I", b"BlbS", number, 1, len(header)) + header
        body += b"\0" * (-(len(body) + 12) % 16) + struct.pack("<2I4s", zlib.adler32(body), len(header), b"BlbE")
        slots += struct.pack("<4s3I", b"Slot", number, (4096 + len(blobs)) // 16, len(body) // 16)
        blobs += body
    slots += struct.pack("<4s3I", b"Slot", 0, 0, 0) * (254 - len(packages))
    path = image.root / "usr/lib/sysimage/rpm/Packages.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack("<4s7I", b"RpmP", 0, 1, 1, len(packages) + 1, 0, 0, 0) + slots + blobs)
    image.layer("ADD leap /")
    return image.done()


def rpm_berkeley(out):
    """As Amazon Linux 2 keeps its packages. rpm does not write this form any more."""
    try:
        from berkeleydb import db as berkeley
    except ImportError:
        print("without berkeleydb there is no image with a database of Berkeley DB")
        return None
    image = Image(out, "rpm-berkeley")
    image.write("etc/os-release", 'NAME="Amazon Linux"\nID="amzn"\nID_LIKE="centos rhel fedora"\nVERSION_ID="2"\nPRETTY_NAME="Amazon Linux 2"\n')
    image.write("etc/system-release", "Amazon Linux release 2 (Karoo)\n")
    path = image.root / RPM_FOLDER / "Packages"
    path.parent.mkdir(parents=True)
    database = berkeley.DB()
    database.set_pagesize(4096)
    database.open(str(path), dbtype=berkeley.DB_HASH, flags=berkeley.DB_CREATE)
    database.put(struct.pack("<I", 0), struct.pack("<I", 100))
    for number, header in headers(out):
        database.put(struct.pack("<I", number), header)
    database.close()
    image.layer("ADD amazon /")
    return image.done()


def clean(folder):
    for name in ("rpmdb.sqlite-wal", "rpmdb.sqlite-shm", ".rpm.lock"):
        (folder / name).unlink(missing_ok=True)


def distroless(out, base, go_program):
    """Single records of dpkg and no package manager; jars, also in a war."""
    image = Image(out, "distroless")
    shutil.copytree(base / "etc", image.root / "etc", dirs_exist_ok=True, symlinks=True)
    (image.root / "usr/lib").mkdir(parents=True)
    shutil.copy(base / "usr/lib/os-release", image.root / "usr/lib/os-release")
    paragraphs = (base / "var/lib/dpkg/status").read_text().split("\n\n")
    for paragraph in paragraphs:
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Package") in ("libc6", "tzdata", "libssl3", "base-files", "netbase"):
            image.write(f"var/lib/dpkg/status.d/{fields['Package']}", paragraph + "\n")
    image.layer("ADD distroless /")
    jars = sorted((base / "usr/share/java").glob("*.jar"))
    (image.root / "app/lib").mkdir(parents=True)
    for jar in jars:
        if not jar.is_symlink():
            shutil.copy(jar, image.root / "app/lib")
    shutil.copy(go_program, image.root / "app/server")
    # Published with cargo-auditable.
    run("pip", "install", "--no-compile", "--no-deps", "--target", image.root / "app/tools", "uv==0.13.9")
    image.layer("COPY app /app")
    return image.done()


def build(out):
    out.mkdir(parents=True, exist_ok=True)
    languages = ["python3", "python3-requests", "ruby", "node-semver", "libcommons-io-java", "golang-docker-credential-helpers"]
    image, base = debian(out, "debian", languages)
    go_program = base / "usr/bin/docker-credential-pass"
    language_packages(image, go_program)
    # An upgrade and a removal by dpkg, as its record has them.
    status = image.root / "var/lib/dpkg/status"
    paragraphs = [part for part in status.read_text().split("\n\n") if not part.startswith("Package: ncurses-bin\n")]
    status.write_text("\n\n".join(part.replace("Version: 2023", "Version: 2024") if part.startswith("Package: tzdata\n") else part for part in paragraphs))
    image.layer("RUN apt-get upgrade")
    layouts = [image.done()]
    image, _ = debian(out, "debian-minimal", [])
    layouts.append(image.done())
    layouts += [alpine(out, go_program), rpm(out, go_program), rpm_log(out), rpm_ndb(out), rpm_berkeley(out), distroless(out, base, go_program)]
    for layout in filter(None, layouts):
        copy(layout, out / f"{layout.name}.tar")
    shutil.rmtree(out / "distroless-zstd", ignore_errors=True)
    run("skopeo", "copy", "--insecure-policy", "--dest-compress-format", "zstd", f"oci:{out}/distroless:latest", f"oci:{out}/distroless-zstd:latest")


# Names of ecosystems, by the types of package URLs.
TYPES = {"crates.io": "cargo", "npm": "npm", "PyPI": "pypi", "Go": "golang", "Maven": "maven", "RubyGems": "gem", "Packagist": "composer",
         "NuGet": "nuget", "Debian": "deb", "Alpine": "apk", "Rocky Linux": "rpm", "openSUSE": "rpm", "Amazon Linux": "rpm"}


def canonical(kind, name, version):
    if kind == "pypi":
        name = name.lower().replace("_", "-").replace(".", "-")
    if kind == "golang":
        version = version.removeprefix("go").removeprefix("v")
    if kind == "rpm":
        version = version.removeprefix("0:")
    return kind, name, version


def of_bartizan(program, path):
    text = subprocess.run([program, "scan", "--format", "json", "--database", path.parent / "other.db", path], capture_output=True, check=False).stdout
    document = json.loads(text)
    return {canonical(TYPES[package["ecosystem"].split(":")[0]], package["name"], package["version"])
            for package in document["packages"] if not package["development"]}


def of_syft(path):
    scheme = "docker-archive" if path.suffix == ".tar" else "oci-dir"
    text = subprocess.run(["syft", "scan", f"{scheme}:{path}", "-o", "syft-json", "-q"], capture_output=True, check=True).stdout
    kinds = {"rust-crate": "cargo", "npm": "npm", "python": "pypi", "go-module": "golang", "java-archive": "maven", "gem": "gem",
             "php-composer": "composer", "dotnet": "nuget", "deb": "deb", "apk": "apk", "rpm": "rpm"}
    found = set()
    for package in json.loads(text)["artifacts"]:
        if (kind := kinds.get(package["type"])) is None:
            continue
        name = package["name"]
        if kind == "maven":
            name = f"{package['metadata'].get('pomProperties', {}).get('groupId', '?')}:{name}"
        found.add(canonical(kind, name, package["version"]))
    return found


def of_trivy(path):
    command = ["trivy", "image", "--input", path, "--list-all-pkgs", "--offline-scan", "--skip-db-update", "--skip-java-db-update",
               "--format", "json", "--quiet", "--scanners", "license"]
    text = subprocess.run(command, capture_output=True, check=True).stdout
    found = set()
    for result in json.loads(text).get("Results", []):
        kinds = {"rustbinary": "cargo", "node-pkg": "npm", "python-pkg": "pypi", "gobinary": "golang", "jar": "maven", "gemspec": "gem",
                 "composer-vendor": "composer", "dotnet-core": "nuget", "debian": "deb", "alpine": "apk", "rocky": "rpm", "opensuse-leap": "rpm", "opensuse.leap": "rpm",
                 "amazon": "rpm"}
        kind = kinds.get(result.get("Type"))
        for package in result.get("Packages", []) if kind else []:
            version = package.get("Version", "")
            if kind in ("deb", "rpm"):
                version += f"-{package['Release']}" if package.get("Release") else ""
                version = f"{package['Epoch']}:{version}" if package.get("Epoch") else version
            found.add(canonical(kind, package["Name"], version))
    return found


def timed(function, *arguments):
    start = time.monotonic()
    return function(*arguments), time.monotonic() - start


def compare(out, program):
    for path in [*sorted(out.glob("*.tar")), out / "distroless-zstd"]:
        ours, seconds = timed(of_bartizan, program, path)
        print(f"{path.name}: {len(ours)} packages in {seconds:.2f} s")
        others = {"syft": of_syft, "trivy": of_trivy}
        for name, function in others.items():
            if shutil.which(name) is None:
                continue
            try:
                theirs, seconds = timed(function, path)
            except subprocess.CalledProcessError as error:
                print(f"  {name}: {error.stderr.decode()[-300:]}")
                continue
            print(f"  {name}: {len(theirs)} packages in {seconds:.2f} s; only ours {len(ours - theirs)}, only theirs {len(theirs - ours)}")
            for sign, packages in (("+", ours - theirs), ("-", theirs - ours)):
                for package in sorted(packages)[:200]:
                    print(f"    {sign} {' '.join(package)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("/tmp/bartizan-images"))
    parser.add_argument("--bartizan", default="bartizan")
    parser.add_argument("--compare-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.compare_only:
        build(arguments.out)
    database = arguments.out / "other.db"
    if not database.exists():
        # Of a package that none of the images has: what counts here are packages, not what is known of them.
        advisory = arguments.out / "other.json"
        affected = [{"package": {"ecosystem": "PyPI", "name": "bartizan-example"}, "versions": ["1.0"]}]
        advisory.write_text(json.dumps({"id": "EXAMPLE-1", "modified": "2026-01-01T00:00:00Z", "affected": affected}))
        run(arguments.bartizan, "db", "update", "--database", database, advisory)
    compare(arguments.out, arguments.bartizan)


if __name__ == "__main__":
    main()
