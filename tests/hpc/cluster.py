"""A Slurm of several virtual nodes on this machine: no systemd, cgroups, munge, database or network is needed.

with cluster(folder) as slurm:
    slurm.run("sbatch", "job.sh")
"""

import contextlib
import datetime
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/none
CredType=cred/none
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=500
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=3600
RequeueExit=75
MpiDefault=none
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} RealMemory={memory}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")
CLEARED_AWAY = datetime.timedelta(seconds=5)


class Slurm:
    """A cluster that runs; `environment` points its commands to it."""

    def __init__(self, folder, nodes):
        self.folder = folder
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def run(self, *command, check=True, **settings):
        """stdout of a command, without the last line feed."""
        settings = {"env": self.environment, "text": True, "capture_output": True, "timeout": 120, **settings}
        done = subprocess.run([str(part) for part in command], **settings)
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def state(self, job):
        """States of the tasks of a job: {task or '': state}."""
        text = self.run("scontrol", "show", "job", "-o", job, check=False)
        found = [dict(field.partition("=")[::2] for field in line.split()) for line in text.splitlines()]
        return {one.get("ArrayTaskId", ""): one["JobState"] for one in found if "JobState" in one}

    def detail(self, job, name):
        """A field of `scontrol show job`."""
        fields = self.run("scontrol", "show", "job", "-o", job).split()
        return next((field.partition("=")[2] for field in fields if field.startswith(f"{name}=")), "")

    def wait(self, *jobs, seconds=240):
        """Wait until all tasks of the jobs have ended; -> their states, sorted, each once.

        They have where two looks say the same: a task that will run again may be seen as failed for a moment.
        """
        end = time.monotonic() + seconds
        before = None
        while time.monotonic() < end:
            states = [state for job in jobs for state in self.state(job).values()]
            if states and states == before and all(state.startswith(ENDED) for state in states):
                return sorted(set(states))
            before = states
            self._hurry()
            time.sleep(0.5)
        raise AssertionError(f"jobs {jobs} have not ended: {[self.state(job) for job in jobs]}\n{self.run('squeue')}")

    def _hurry(self):
        """Let jobs that are to run again do so soon: Slurm has them wait for two minutes.

        Not at once: the node may still be clearing away the first run, and would take the second's script with it,
        which then ends with status 1 and without a word.
        """
        for line in self.run("squeue", "-h", "-t", "PENDING", "-o", "%F %K %V %r").splitlines():
            job, task, since, reason = line.split(maxsplit=3)
            waited = datetime.datetime.now() - datetime.datetime.fromisoformat(since)
            if reason == "BeginTime" and waited > CLEARED_AWAY:
                name = f"{job}_{task}" if task.isdigit() else job
                self.run("scontrol", "update", f"JobId={name}", "StartTime=now", check=False)

    def start_node(self, name):
        self.run("slurmd", "-N", name)

    def kill_node(self, name):
        """SIGKILL for the daemon of a node and those of its jobs, the jobs' own processes live on."""
        os.kill(int((self.folder / f"slurmd-{name}.pid").read_text()), signal.SIGKILL)
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").split()
                mine = str(self.folder).encode() in (process / "environ").read_bytes()
                if words[:1] == [b"slurmstepd:"] and (mine or _is_of_node(process, self.folder, name)):
                    os.kill(int(process.name), signal.SIGKILL)


def _is_of_node(process, folder, name):
    spool = f"{folder}/spool-{name}"
    return any(os.readlink(link).startswith(spool) for link in (process / "fd").iterdir())


@contextlib.contextmanager
def cluster(folder, *, nodes=4, cpus=1, memory=4000):
    """Yield a `Slurm` whose files lie in `folder`; at the end its jobs are cancelled and its daemons stopped."""
    folder = Path(folder)
    (folder / "state").mkdir(parents=True)
    ports = _free_ports(nodes + 1)
    values = {"host": socket.gethostname().partition(".")[0], "folder": folder, "nodes": nodes, "cpus": cpus}
    values |= {"memory": memory, "port": ports[0], "first": ports[1], "last": ports[-1]}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
    slurm = Slurm(folder, nodes)
    # for programs that pass no variables on, such as Snakemake; a Slurm that is there already is left alone
    usual = Path("/etc/slurm/slurm.conf")
    is_ours = usual.parent.is_dir() and not usual.exists()
    try:
        if is_ours:
            usual.unlink(missing_ok=True)
            usual.symlink_to(folder / "slurm.conf")
        slurm.run("slurmctld")
        for name in slurm.nodes:
            slurm.start_node(name)
        _wait_for(lambda: slurm.run("sinfo", "-h", "-t", "idle", "-o", "%D", check=False) == str(nodes))
        yield slurm
    finally:
        if is_ours:
            usual.unlink(missing_ok=True)
        slurm.run("scancel", "--user=root", check=False)
        _wait_for(lambda: not slurm.run("squeue", "-h", check=False), seconds=15, needed=False)
        _stop([folder / "slurmctld.pid", *folder.glob("slurmd-*.pid")])


def _free_ports(n):
    """n ports in a row that nobody listens on."""
    for first in range(17100, 18100, n):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + n):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return list(range(first, first + n))
    raise AssertionError("no free ports")


def _stop(pid_files):
    for path in pid_files:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(path.read_text()), signal.SIGTERM)
    _wait_for(lambda: not any(path.exists() for path in pid_files), seconds=10, needed=False)


def _wait_for(condition, *, seconds=30, needed=True):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    if needed:
        raise AssertionError("Slurm does not get ready")
