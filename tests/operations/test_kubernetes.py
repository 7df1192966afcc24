"""What lies in deploy/kubernetes is whole, valid, and agrees with the code: routes, settings, commands, ports, labels.

Every document is checked against the schemas of Kubernetes, and `kubectl kustomize` puts the folders together where
kubectl is installed. No cluster is at hand where the tests run: nothing is applied.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer.main
import yaml
from fastapi.routing import APIRoute

from api.cli import application
from api.cli.serve import STOP_S
from api.routes.node import ROUTER
from queue_service.settings import Settings
from tests.house.checkout import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
APPLIED = ("base", "overlays/example", "single")
VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest and the newest that we check for."""
OPERATORS = {"ServiceMonitor": "monitoring.coreos.com/v1"}
"""Kinds that Kubernetes itself does not know."""
ROUTES = {route.path for route in ROUTER.routes if isinstance(route, APIRoute)}
SECRET = "a-secret-that-nobody-guesses"
Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    """Those of a file."""
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def kustomization(folder: Path) -> Document:
    """What a folder is put together from."""
    (found,) = documents(folder / "kustomization.yaml")
    return found


def resources(folder: Path) -> Iterator[Document]:
    """Every resource that a folder lists, those of other folders included, before any patch."""
    wanted = kustomization(folder)
    for name in (*wanted["resources"], *wanted.get("components", ())):
        path = folder / name
        yield from resources(path) if path.is_dir() else documents(path)


FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")
RESOURCES = [one for path in FILES for one in documents(path)]
PODS = [one for one in RESOURCES if "template" in one.get("spec", {})]
NODES = [one for one in PODS if one["kind"] != "Job"]


def each(name: str, of: list[Document]) -> pytest.MarkDecorator:
    """A test for each of these."""
    return pytest.mark.parametrize(name, of, ids=[f"{one['kind']}-{one['metadata']['name']}" for one in of])


def pod(workload: Document) -> Document:
    """The pod that a workload makes."""
    found: Document = workload["spec"]["template"]["spec"]
    return found


def containers(workload: Document) -> list[Document]:
    """All of them, those that run first included."""
    return [*pod(workload).get("initContainers", ()), *pod(workload)["containers"]]


def of_kind(folder: str, kind: str) -> Document:
    """The one resource of a kind."""
    (found,) = [one for one in resources(FOLDER / folder) if one["kind"] == kind]
    return found


def literals(folder: str) -> dict[str, str]:
    """The settings that a folder's generator holds."""
    (generator,) = kustomization(FOLDER / folder)["configMapGenerator"]
    return dict(line.split("=", 1) for line in generator["literals"])


# -- the folders are whole


def test_every_file_belongs_to_a_folder_that_is_applied() -> None:
    """Each is listed where it lies, and what is listed is there."""
    folders = {path.parent for path in FOLDER.rglob("kustomization.yaml")}
    listed = {folder / name for folder in folders for name in kustomization(folder)["resources"]}
    assert {path.resolve() for path in listed if path.suffix == ".yaml"} == set(FILES)
    assert all(path.exists() for path in listed)


def test_every_patch_has_its_target() -> None:
    """The overlay changes what the base has."""
    named = {(one["kind"], one["metadata"]["name"]) for one in resources(FOLDER / "overlays/example")}
    wanted = kustomization(FOLDER / "overlays/example")
    assert {(patch["target"]["kind"], patch["target"]["name"]) for patch in wanted["patches"]} <= named
    assert {("Deployment", replicas["name"]) for replicas in wanted["replicas"]} <= named
    images = {container["image"].split(":")[0] for one in PODS for container in containers(one)}
    assert {image["name"] for image in wanted["images"]} == images


@pytest.mark.parametrize("version", VERSIONS)
@each("resource", RESOURCES)
def test_a_resource_fits_the_schema(resource: Document, version: str) -> None:
    """Strictly: no field that Kubernetes does not know. Kinds of operators are checked by hand below."""
    if resource["kind"] in OPERATORS:
        assert resource["apiVersion"] == OPERATORS[resource["kind"]]
        return
    kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize("folder", APPLIED)
def test_kustomize_puts_a_folder_together(folder: str) -> None:
    """As `kubectl apply -k` would: every document is valid, images and namespace are the overlay's, names agree."""
    built = kustomized(folder)
    known = [one for one in built if one["kind"] not in OPERATORS]
    for one in known:
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    text = json.dumps(built)
    wanted = kustomization(FOLDER / folder)
    for image in wanted.get("images", ()):
        assert f'"{image["newName"]}:{image["newTag"]}"' in text
        assert f'"{image["name"]}:' not in text
    places = {one["metadata"].get("namespace") for one in built if one["kind"] != "Namespace"}
    assert places == {wanted.get("namespace")}
    maps = {one["metadata"]["name"] for one in built if one["kind"] == "ConfigMap"}
    assert set(re.findall(r'"configMapRef": {"name": "([^"]+)"', text)) == maps


def kustomized(folder: str) -> list[Document]:
    """What kustomize makes of a folder; skipped where it is missing."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed: kustomize does not put deploy/kubernetes together")
    done = subprocess.run(
        [program, "kustomize", str(FOLDER / folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


# -- they agree with the code


@each("workload", NODES)
def test_probes_ask_for_routes_that_there_are(workload: Document) -> None:
    """Alive is who answers at all; ready is who can be given work: a database that is away restarts nobody."""
    (container,) = pod(workload)["containers"]
    asked = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert set(asked.values()) <= ROUTES
    named = {port["name"] for port in container["ports"]}
    assert {container[f"{name}Probe"]["httpGet"]["port"] for name in asked} <= named


@each("workload", PODS)
def test_containers_run_commands_that_there_are(workload: Document) -> None:
    """Each is one of `queue-service`, whose image they are of."""
    commands = typer.main.get_group(application()).commands
    for container in containers(workload):
        assert container["args"][0] in commands
        assert "command" not in container


def given(container: Document, folder: str) -> dict[str, str]:
    """A container's variables, secrets made up."""
    plain = {one["name"]: one.get("value", SECRET) for one in container.get("env", ())}
    for source in container.get("envFrom", ()):
        if "configMapRef" in source:
            plain |= literals(folder)
        else:
            plain |= {"QUEUE_TOKEN": SECRET}
    return plain


@each("workload", PODS)
def test_variables_are_settings_that_are_accepted(workload: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one is known, a node listens on the port it declares, to others, and asks them for the token."""
    folder = "single" if workload["kind"] == "StatefulSet" else "base"
    for container in containers(workload):
        with monkeypatch.context() as patch:
            variables = given(container, folder)
            assert {name.removeprefix("QUEUE_").lower() for name in variables} <= Settings.model_fields.keys()
            for name, value in variables.items():
                patch.setenv(name, value)
            settings = Settings()
        if container["args"][0] == "serve":
            assert [port["containerPort"] for port in container["ports"]] == [settings.port]
            assert (settings.host, settings.auth) == ("0.0.0.0", "token")  # noqa: S104 (in its own network)


def test_secrets_are_those_that_the_base_tells_to_make() -> None:
    """One secret, with two keys, named in the comment that tells how to make it, and held nowhere."""
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml"))
    told = (FOLDER / "base" / "kustomization.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-literal=(\w+)", told)) == {"QUEUE_TOKEN", "QUEUE_DATABASE_URL"}
    assert set(re.findall(r"key: (QUEUE_\w+)", text)) == {"QUEUE_TOKEN", "QUEUE_DATABASE_URL"}
    assert "kind: Secret" not in text
    assert "secretGenerator" not in text


@each("workload", NODES)
def test_a_node_is_given_the_time_it_needs_to_stop(workload: Document) -> None:
    """It drains, then has what uvicorn gives running requests, and some seconds more before it is killed."""
    drain_s = float(literals("base")["QUEUE_DRAIN_S"]) if workload["kind"] == "Deployment" else 0
    assert pod(workload)["terminationGracePeriodSeconds"] >= drain_s + STOP_S + 5


@each("workload", PODS)
def test_pods_may_do_little(workload: Document) -> None:
    """Pod security `restricted`: no root, nothing to write to but what is mounted, no rights, no account; and no
    variables of Services, which would overwrite QUEUE_PORT."""
    spec = pod(workload)
    assert spec["enableServiceLinks"] is spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    user = re.search(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert user is not None
    assert spec["securityContext"]["runAsUser"] == int(user[1])
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(workload):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp"}  # noqa: S108 (a mount)
        assert container["resources"]["limits"].keys() == {"memory"}


# -- they agree with one another


def labels(workload: Document) -> dict[str, str]:
    """Those of the pods that a workload makes."""
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def selects(selector: dict[str, str], workload: Document) -> bool:
    """Whether a selector takes those pods."""
    return bool(selector) and selector.items() <= labels(workload).items()


@pytest.mark.parametrize(("folder", "kind"), [("base", "Deployment"), ("single", "StatefulSet")])
def test_the_service_leads_to_the_nodes(folder: str, kind: str) -> None:
    """Its selector takes them, and its port is one of theirs."""
    service, workload = of_kind(folder, "Service"), of_kind(folder, kind)
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels(workload).items()
    assert selects(service["spec"]["selector"], workload)
    ports = {port["name"] for port in pod(workload)["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_only_nodes_are_served_from_and_kept_available() -> None:
    """The job that migrates is no node: neither the Service nor the disruption budget counts it."""
    job, nodes = of_kind("base", "Job"), of_kind("base", "Deployment")
    budget = of_kind("base", "PodDisruptionBudget")["spec"]
    for selector in (of_kind("base", "Service")["spec"]["selector"], budget["selector"]["matchLabels"]):
        assert selects(selector, nodes)
        assert not selects(selector, job)
    assert budget["minAvailable"] < nodes["spec"]["replicas"]
    assert nodes["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_network_policy_lets_through_what_is_needed() -> None:
    """It holds for nodes and the job; they may be asked at the nodes' port, and may ask PostgreSQL and for names."""
    policy = of_kind("base", "NetworkPolicy")["spec"]
    for kind in ("Job", "Deployment"):
        assert selects(policy["podSelector"]["matchLabels"], of_kind("base", kind))
    (rule,) = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == ["http"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432}


def test_prometheus_finds_the_nodes_under_the_name_that_alerts_rely_on() -> None:
    """The ServiceMonitor takes the Service, by a port of its; the label `job` becomes `queue`; the token is the
    secret's."""
    monitor = of_kind("overlays/example", "ServiceMonitor")["spec"]
    (endpoint,) = monitor["endpoints"]
    for folder in ("base", "single"):
        service = of_kind(folder, "Service")
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert service["metadata"]["labels"][monitor["jobLabel"]] == "queue"
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] in ROUTES
    assert endpoint["authorization"] == {
        "type": "Bearer", "credentials": {"name": "queue-secrets", "key": "QUEUE_TOKEN"},
    }  # fmt: skip


def test_the_ingress_leads_to_the_service() -> None:
    """By its name and port."""
    (rule,) = of_kind("overlays/example", "Ingress")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    service = of_kind("base", "Service")
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
