"""The compose files fit together: what they mount is there, what they name exists, what they set is understood.

No container engine is at hand where the tests run, so nothing is started by compose itself: the files are read as YAML,
`extends` carried out as compose does it. The proxy's configuration is run in test_proxy.py.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from api.cli import application
from api.cli.serve import STOP_S
from queue_service.settings import Settings
from tests.house.checkout import ROOT

DEPLOY = ROOT / "deploy"
FILES = ("compose.yaml", "compose.replicas.yaml")
PROXY = (DEPLOY / "haproxy" / "haproxy.cfg").read_text(encoding="utf-8")
SECRET = "a-secret-that-nobody-guesses"
Service = dict[str, Any]


def document(file: str) -> dict[str, Any]:
    """A file of deploy."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / file).read_text(encoding="utf-8"))
    return found


def services(file: str) -> dict[str, Service]:
    """Its services, those that extend another file's put together."""
    return {name: _extended(service) for name, service in document(file)["services"].items()}


def _extended(service: Service) -> Service:
    if "extends" not in service:
        return service
    whole = services(service["extends"]["file"])[service["extends"]["service"]]
    return {**whole, **{key: value for key, value in service.items() if key != "extends"}}


def nodes(file: str) -> dict[str, Service]:
    """Those that serve."""
    return {name: one for name, one in services(file).items() if one.get("command", [""])[0] == "serve"}


def ours(file: str) -> dict[str, Service]:
    """Those that run our image."""
    return {name: one for name, one in services(file).items() if one["image"].startswith("one-window-queue:")}


@pytest.mark.parametrize("file", FILES)
def test_a_compose_file_mounts_what_is_there(file: str) -> None:
    """Every file a service mounts exists, every named volume and secret is declared and needed, every image has its
    version."""
    declared, used, secrets = document(file), set[str](), set[str]()
    for name, service in services(file).items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?$", service["image"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), volume
            else:
                used.add(source)
        secrets |= set(service.get("secrets", ()))
    assert used == set(declared["volumes"])
    assert secrets == set(declared["secrets"])


@pytest.mark.parametrize("file", FILES)
def test_services_wait_for_what_there_is(file: str) -> None:
    """`depends_on` names services; who waits for a healthy one waits for one that says whether it is."""
    every = services(file)
    for service in every.values():
        wanted = service.get("depends_on", {})
        assert set(wanted) <= set(every)
        if isinstance(wanted, dict):
            healthy = {name for name, how in wanted.items() if how["condition"] == "service_healthy"}
            assert all("test" in every[name]["healthcheck"] for name in healthy)


@pytest.mark.parametrize("file", FILES)
def test_our_containers_run_commands_and_settings_that_exist(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each begins with a command of `queue-service`, plans that it names are mounted, and its variables are settings
    that are accepted."""
    commands = typer.main.get_group(application()).commands
    for name, service in ours(file).items():
        assert service["command"][0] in commands, name
        folders = dict(volume.split(":")[1::-1] for volume in service["volumes"])
        plans = [argument for argument in service["command"] if argument.endswith(".toml")]
        assert all((DEPLOY / folders["/halls"] / plan.removeprefix("/halls/")).exists() for plan in plans)
        given = {key: re.sub(r"\$\{\w+[^}]*\}", SECRET, value) for key, value in service["environment"].items()}
        assert {key.removeprefix("QUEUE_").lower() for key in given} <= Settings.model_fields.keys()
        for key, value in given.items():
            monkeypatch.setenv(key, value)
        Settings()


@pytest.mark.parametrize("file", FILES)
def test_a_node_is_given_the_time_it_needs_to_stop(file: str) -> None:
    """It drains, then has what uvicorn gives running requests, and some seconds more before it is killed."""
    for service in nodes(file).values():
        drain_s = float(service["environment"].get("QUEUE_DRAIN_S", 0))
        assert int(service["stop_grace_period"].removesuffix("s")) >= drain_s + STOP_S + 5


@pytest.mark.parametrize(("file", "prometheus"), list(zip(FILES, ("prometheus.yml", "replicas.yml"), strict=True)))
def test_the_watch_looks_where_the_compose_file_puts_things(file: str, prometheus: str) -> None:
    """Prometheus runs that configuration, scrapes exactly the nodes, and finds its token and Alertmanager; Grafana
    finds Prometheus and its dashboards; the receivers of the routes exist."""
    every, configured = services(file), document(f"prometheus/{prometheus}")
    assert f"--config.file=/etc/prometheus/{prometheus}" in every["prometheus"]["command"]
    (job,) = configured["scrape_configs"]
    assert {target.split(":")[0] for target in job["static_configs"][0]["targets"]} == set(nodes(file))
    assert job["authorization"]["credentials_file"].removeprefix("/run/secrets/") in document(file)["secrets"]
    (alerting,) = configured["alerting"]["alertmanagers"]
    (source,) = document("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    others = [*alerting["static_configs"][0]["targets"], source["url"].removeprefix("http://")]
    assert {target.split(":")[0] for target in others} <= set(every)
    (provider,) = document("grafana/provisioning/dashboards/queue.yml")["providers"]
    assert provider["options"]["path"] in [volume.split(":")[1] for volume in every["grafana"]["volumes"]]
    alertmanager = document("alertmanager/alertmanager.yml")
    routes = [alertmanager["route"], *alertmanager["route"]["routes"]]
    assert {route["receiver"] for route in routes} == {receiver["name"] for receiver in alertmanager["receivers"]}


def test_the_two_configurations_of_prometheus_differ_in_their_targets_only() -> None:
    """What one watches, the other does."""
    one, other = document("prometheus/prometheus.yml"), document("prometheus/replicas.yml")
    for configured in (one, other):
        configured["scrape_configs"][0].pop("static_configs")
    assert one == other


# -- the proxy and the nodes behind it


def test_the_proxy_looks_for_the_nodes_where_compose_puts_them() -> None:
    """Its defaults name every node by its service and port, and it is reached by the ports it binds."""
    found = re.findall(r'"\$\{NODE_\d-([^}]+)\}"', PROXY)
    wanted = {f"{name}:{node['environment']['QUEUE_PORT']}" for name, node in nodes(FILES[1]).items()}
    assert set(found) == wanted
    bound = set(re.findall(r'bind "\$\{\w+-:(\d+)\}"', PROXY))
    published = services(FILES[1])["proxy"]["ports"]
    assert {port.rpartition(":")[2] for port in published} == bound


def test_a_node_drains_longer_than_the_proxy_takes_to_notice() -> None:
    """Twice the checks that it takes, at least."""
    (every_ms, fall) = map(int, re.findall(r"inter (\d+)ms fall (\d)", PROXY)[0])
    for node in nodes(FILES[1]).values():
        assert float(node["environment"]["QUEUE_DRAIN_S"]) >= 2 * fall * every_ms / 1000


def test_what_one_node_offers_the_next_does_too() -> None:
    """The replicas differ in nothing."""
    first, *others = nodes(FILES[1]).values()
    assert len(others) >= 1
    assert all(other == first for other in others)


@pytest.mark.parametrize("file", sorted(path.name for path in (DEPLOY / "haproxy" / "errors").iterdir()))
def test_a_refusal_of_the_proxy_is_whole(file: str) -> None:
    """Its length is as it says, and it fits the problems of the service."""
    head, body = (DEPLOY / "haproxy" / "errors" / file).read_text(encoding="ascii").split("\n\n", 1)
    assert f"Content-Length: {len(body)}" in head.splitlines()
    problem = yaml.safe_load(body)
    assert problem["status"] == 503
    assert problem["type"] in {"/problems/unavailable", "/problems/outcome-unknown"}
    assert Path(file).suffix == ".http"
