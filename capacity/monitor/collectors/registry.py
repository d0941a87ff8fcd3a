"""Every collector that the agent runs, in the order of their reading. A new one is added here."""

from capacity.monitor.collectors.address_space import AddressSpaceCollector
from capacity.monitor.collectors.agent_cpu import AgentCpuCollector
from capacity.monitor.collectors.application_limits import ApplicationLimitsCollector
from capacity.monitor.collectors.backlog import BacklogCollector
from capacity.monitor.collectors.base import HostCollector, TargetCollector
from capacity.monitor.collectors.connections import ConnectionsCollector
from capacity.monitor.collectors.conntrack import ConntrackCollector
from capacity.monitor.collectors.context_switches import ContextSwitchesCollector
from capacity.monitor.collectors.cpu import CpuCollector
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.collectors.epoll_watches import EpollWatchesCollector
from capacity.monitor.collectors.event_loop import EventLoopCollector
from capacity.monitor.collectors.file_table import FileTableCollector
from capacity.monitor.collectors.heap import HeapCollector
from capacity.monitor.collectors.host_cpu import HostCpuCollector
from capacity.monitor.collectors.host_memory import HostMemoryCollector
from capacity.monitor.collectors.lingering import LingeringCollector
from capacity.monitor.collectors.memory import MemoryCollector
from capacity.monitor.collectors.memory_events import MemoryEventsCollector
from capacity.monitor.collectors.memory_maps import MemoryMapsCollector
from capacity.monitor.collectors.network import NetworkCollector
from capacity.monitor.collectors.outgoing_ports import OutgoingPortsCollector
from capacity.monitor.collectors.pressure import PressureCollector
from capacity.monitor.collectors.slab import SlabCollector
from capacity.monitor.collectors.tcp_memory import TcpMemoryCollector
from capacity.monitor.collectors.tcp_statistics import TcpStatisticsCollector
from capacity.monitor.collectors.threads import ThreadsCollector
from capacity.monitor.collectors.throttling import ThrottlingCollector
from capacity.monitor.collectors.user_processes import UserProcessesCollector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.limits.applications.applications import Applications


def target_collectors(
    listeners: TargetListeners, applications: Applications | None = None
) -> list[TargetCollector]:
    return [
        CpuCollector(),
        EventLoopCollector(),
        DescriptorsCollector(listeners),
        ConnectionsCollector(listeners),
        ApplicationLimitsCollector(listeners, applications or Applications()),
        ThreadsCollector(),
        MemoryCollector(),
        AddressSpaceCollector(),
        HeapCollector(),
        TcpMemoryCollector(),
        ConntrackCollector(),
        OutgoingPortsCollector(listeners),
        NetworkCollector(listeners),
        TcpStatisticsCollector(),
        LingeringCollector(),
        ThrottlingCollector(),
        MemoryEventsCollector(),
        PressureCollector(),
        UserProcessesCollector(),
        EpollWatchesCollector(),
        MemoryMapsCollector(),
        ContextSwitchesCollector(),
    ]


def host_collectors() -> list[HostCollector]:
    return [
        FileTableCollector(),
        HostMemoryCollector(),
        HostCpuCollector(),
        BacklogCollector(),
        SlabCollector(),
        AgentCpuCollector(),
    ]
