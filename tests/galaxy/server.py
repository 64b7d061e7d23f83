"""Run a command while a Galaxy server with our tools is up: server.py --tools BIN --suite DIR -- COMMAND...

It listens on 127.0.0.1 alone. The Python that runs this is that of an environment with galaxy-web-apps. The command
finds the server's address in GALAXY_URL and the key of its administrator in GALAXY_KEY; its exit status is that of this
script. Whatever happens, the server is stopped at the end; its files are removed unless the command failed.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path

KEY = "only-for-this-test-server"
USER = "tester@example.org"
SECONDS_TO_START = 600
SECONDS_TO_STOP = 20


def toolbox(suite):
    """The tool panel: what our workflows need of Galaxy's own, and every tool of the suite."""
    tools = [path for path in sorted(suite.glob("*.xml")) if ET.parse(path).getroot().tag == "tool"]
    box = ET.Element("toolbox")
    get = ET.SubElement(box, "section", id="get", name="Get data")
    ET.SubElement(get, "tool", file="data_source/upload.xml")
    # our workflows take single parts out of collections
    ET.SubElement(get, "tool", file="${model_tools_path}/extract_dataset.xml")
    ours = ET.SubElement(box, "section", id="ours", name="SpecBridge")
    for path in tools:
        ET.SubElement(ours, "tool", file=str(path))
    return ET.tostring(box, encoding="unicode")


def jobs(tools, slots):
    """Jobs run on this machine, two at a time, and find our commands first on their PATH."""
    here = {"runner": "local", "local_slots": slots, "env": [{"name": "PATH", "value": f"{tools}:$PATH", "raw": True}]}
    runner = {"load": "galaxy.jobs.runners.local:LocalJobRunner", "workers": 2}
    return {"runners": {"local": runner}, "execution": {"default": "local", "environments": {"local": here}}}


def settings(folder, suite, *, keep_jobs):
    """Configuration of a server that touches nothing outside `folder` and no network, with one user who may do all."""
    data = folder / "data"
    values = {
        "config_dir": folder,
        "data_dir": data,
        "database_connection": f"sqlite:///{data}/galaxy.sqlite?isolation_level=IMMEDIATE",
        "amqp_internal_connection": f"sqlalchemy+sqlite:///{data}/control.sqlite?isolation_level=IMMEDIATE",
        "tool_config_file": folder / "tools.xml",
        "tool_data_table_config_path": suite / "tool_data_table_conf.xml.test",
        "job_config_file": folder / "jobs.yml",
        "dependency_resolvers_config_file": folder / "resolvers.xml",
        "tool_sheds_config_file": folder / "sheds.xml",
        "tour_config_dir": suite / "tours",
        "visualization_plugins_directory": folder / "none",
        "master_api_key": KEY,
        "single_user": USER,
        "admin_users": USER,
        "allow_path_paste": True,
        "id_secret": KEY,
        "cleanup_job": "never" if keep_jobs else "onsuccess",
        "watch_tools": "false",
        # a worker that stays imports Galaxy once, not for each upload and each job
        "enable_celery_tasks": True,
        "metadata_strategy": "directory_celery",
        "celery_conf": {
            "broker_url": f"sqlalchemy+sqlite:///{data}/broker.sqlite",
            "result_backend": f"db+sqlite:///{data}/results.sqlite",
            "task_routes": {task: "galaxy.external" for task in ("galaxy.fetch_data", "galaxy.set_job_metadata")},
        },
        "conda_auto_init": False,
        "conda_auto_install": False,
        "involucro_auto_init": False,
        "use_cached_dependency_manager": False,
        "log_level": "INFO",
    }
    return {"galaxy": {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}}


def configure(folder, options):
    (folder / "data").mkdir()
    (folder / "none").mkdir()
    (folder / "tools.xml").write_text(toolbox(options.suite))
    (folder / "resolvers.xml").write_text("<dependency_resolvers/>")
    (folder / "sheds.xml").write_text("<tool_sheds/>")
    # JSON is YAML
    (folder / "jobs.yml").write_text(json.dumps(jobs(options.tools, options.slots)))
    (folder / "galaxy.yml").write_text(json.dumps(settings(folder, options.suite, keep_jobs=options.keep), indent=1))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder, port):
    """The web server, which also runs the jobs, and the worker for uploads and metadata."""
    own = Path(sys.executable).parent
    server = [own / "galaxy-web", "-c", folder / "galaxy.yml", "-b", f"127.0.0.1:{port}"]
    queues = "celery,galaxy.internal,galaxy.external"
    worker = [own / "celery", "--app", "galaxy.celery", "worker", "--pool", "threads", "--concurrency", "2"]
    worker += ["--queues", queues, "--loglevel", "INFO"]
    return [spawn(folder, server, "galaxy.log"), spawn(folder, worker, "worker.log")]


def spawn(folder, command, log):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own = Path(sys.executable).parent
    environment["PATH"] = f"{own}:{environment['PATH']}"
    environment["VIRTUAL_ENV"] = str(own.parent)
    environment["GALAXY_CONFIG_FILE"] = str(folder / "galaxy.yml")
    with (folder / log).open("wb") as stream:
        # a session of its own, so that all of its processes can be stopped, jobs too
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def wait_until_up(servers, url):
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and all(server.poll() is None for server in servers):
        try:
            with urllib.request.urlopen(f"{url}/api/version", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("Galaxy did not start")


def stop(server):
    """End a process and all that it has started; its group outlives it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + SECONDS_TO_STOP
        try:
            os.killpg(server.pid, number)
            while time.monotonic() < end:
                server.poll()
                os.killpg(server.pid, 0)
                time.sleep(0.1)
        except ProcessLookupError:
            return


def parsed(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True, metavar="BIN", help="folder of our commands")
    parser.add_argument("--suite", type=Path, required=True, metavar="DIR", help="folder of the wrappers")
    parser.add_argument("--port", type=int, default=0, help="a free one where none is given")
    parser.add_argument("--slots", type=int, default=1, help="processor cores of a job")
    parser.add_argument("--keep", action="store_true", help="keep the server's files and those of its jobs")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args(arguments)
    options.tools, options.suite = options.tools.absolute(), options.suite.absolute()
    return options


def main(arguments=None):
    options = parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="specbridge-galaxy."))
    configure(folder, options)
    port = options.port or free_port()
    url, begun, status, servers = f"http://127.0.0.1:{port}", time.monotonic(), 1, start(folder, port)
    try:
        wait_until_up(servers, url)
        print(f"Galaxy is up after {time.monotonic() - begun:.0f} s: {url}", flush=True)
        status = subprocess.run(options.command, env=os.environ | {"GALAXY_URL": url, "GALAXY_KEY": KEY}).returncode
    except RuntimeError as error:
        print(error, *(log.read_text()[-3000:] for log in folder.glob("*.log")), sep="\n", file=sys.stderr)
    finally:
        for server in servers:
            stop(server)
        if status == 0 and not options.keep:
            shutil.rmtree(folder)
        else:
            print(f"the server's files are kept in {folder}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
