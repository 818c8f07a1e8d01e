"""What RDS offers for PostgreSQL: versions, instance classes, parameters. A slice, enough for tests."""

from __future__ import annotations

import re

ENGINE = "postgres"

# Major -> minors, oldest first; the last is what a bare major stands for.
MINORS = {
    "14": (15, 17, 18, 19),
    "15": (10, 12, 13, 14),
    "16": (3, 4, 6, 8, 9, 10),
    "17": (2, 4, 5, 6),
    "18": (1,),
}
DEFAULT_MAJOR = "17"

VERSIONS = [f"{major}.{minor}" for major, minors in MINORS.items() for minor in minors]

LOG_TYPES = ["iam-db-auth-error", "postgresql", "upgrade"]
CERTIFICATES = ["rds-ca-ecc384-g1", "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1"]
DEFAULT_CERTIFICATE = "rds-ca-rsa2048-g1"

_FAMILIES = {
    "t3": "micro small medium large xlarge 2xlarge",
    "t4g": "micro small medium large xlarge 2xlarge",
    **dict.fromkeys(("m5", "m5d", "m6i", "m6id", "r5", "r5b", "r6i", "r6id"),
                    "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    **dict.fromkeys(("m6g", "m6gd", "m7g", "m8g", "r6g", "r6gd", "r7g", "r8g"),
                    "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
}
CLASSES = {f"db.{family}.{size}" for family, sizes in _FAMILIES.items() for size in sizes.split()}

# Name -> default, type (static needs a reboot), data type, allowed values.
PARAMETERS: dict[str, tuple[str | None, str, str, str]] = {
    "autovacuum": ("1", "dynamic", "boolean", "0,1"),
    "autovacuum_max_workers": ("GREATEST({DBInstanceClassMemory/64371566592},3)", "static", "integer", "1-262143"),
    "autovacuum_vacuum_scale_factor": ("0.1", "dynamic", "float", "0-100"),
    "checkpoint_timeout": (None, "dynamic", "integer", "30-3600"),
    "client_encoding": (None, "dynamic", "string", ""),
    "cron.database_name": ("postgres", "static", "string", ""),
    "default_statistics_target": (None, "dynamic", "integer", "1-10000"),
    "effective_cache_size": ("{DBInstanceClassMemory/16384}", "dynamic", "integer", "1-2147483647"),
    "effective_io_concurrency": (None, "dynamic", "integer", "0-1000"),
    "hnsw.ef_search": ("40", "dynamic", "integer", "1-1000"),
    "idle_in_transaction_session_timeout": ("86400000", "dynamic", "integer", "0-2147483647"),
    "ivfflat.probes": ("1", "dynamic", "integer", "1-32768"),
    "jit": (None, "dynamic", "boolean", "0,1"),
    "lock_timeout": (None, "dynamic", "integer", "0-2147483647"),
    "log_autovacuum_min_duration": ("10000", "dynamic", "integer", "-1-2147483647"),
    "log_connections": (None, "dynamic", "boolean", "0,1"),
    "log_disconnections": (None, "dynamic", "boolean", "0,1"),
    "log_lock_waits": (None, "dynamic", "boolean", "0,1"),
    "log_min_duration_statement": (None, "dynamic", "integer", "-1-2147483647"),
    "log_statement": (None, "dynamic", "list", "none,ddl,mod,all"),
    "log_temp_files": (None, "dynamic", "integer", "-1-2147483647"),
    "maintenance_work_mem": ("GREATEST({DBInstanceClassMemory*1024/63963136},65536)", "dynamic", "integer",
                             "1024-2147483647"),
    "max_connections": ("LEAST({DBInstanceClassMemory/9531392},5000)", "static", "integer", "6-8388607"),
    "max_locks_per_transaction": ("64", "static", "integer", "10-2147483647"),
    "max_logical_replication_workers": (None, "static", "integer", "0-262143"),
    "max_parallel_maintenance_workers": (None, "dynamic", "integer", "0-1024"),
    "max_parallel_workers": ("GREATEST({DBInstanceVCPU/2},8)", "dynamic", "integer", "0-1024"),
    "max_parallel_workers_per_gather": (None, "dynamic", "integer", "0-1024"),
    "max_replication_slots": ("20", "static", "integer", "5-262143"),
    "max_wal_senders": ("20", "static", "integer", "5-100"),
    "max_wal_size": ("2048", "dynamic", "integer", "128-201326592"),
    "max_worker_processes": ("GREATEST({DBInstanceVCPU*2},8)", "static", "integer", "0-262143"),
    "password_encryption": (None, "dynamic", "list", "md5,scram-sha-256"),
    "pg_stat_statements.max": (None, "static", "integer", "100-2147483647"),
    "pg_stat_statements.track": ("top", "dynamic", "list", "none,top,all"),
    "random_page_cost": (None, "dynamic", "float", "0-1000000"),
    "rds.force_ssl": ("1", "dynamic", "boolean", "0,1"),
    "rds.iam_auth_max_connections": (None, "dynamic", "integer", "0-1000"),
    "rds.log_retention_period": ("4320", "dynamic", "integer", "1440-10080"),
    "rds.logical_replication": ("0", "static", "boolean", "0,1"),
    "seq_page_cost": (None, "dynamic", "float", "0-1000000"),
    "shared_buffers": ("{DBInstanceClassMemory/32768}", "static", "integer", "16-1073741823"),
    "shared_preload_libraries": ("pg_stat_statements", "static", "list",
                                 "auto_explain,orafce,pgaudit,pglogical,pg_bigm,pg_cron,pg_hint_plan,pg_prewarm,"
                                 "pg_similarity,pg_stat_statements,pg_tle,pg_transport,plprofiler,plrust"),
    "ssl_max_protocol_version": (None, "dynamic", "list", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3"),
    "ssl_min_protocol_version": ("TLSv1.2", "dynamic", "list", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3"),
    "statement_timeout": (None, "dynamic", "integer", "0-2147483647"),
    "synchronous_commit": ("on", "dynamic", "list", "local,on,off"),
    "tcp_keepalives_idle": ("300", "dynamic", "integer", "0-2147483647"),
    "temp_file_limit": (None, "dynamic", "integer", "-1-2147483647"),
    "timezone": ("UTC", "dynamic", "list", ""),
    "track_activity_query_size": ("4096", "static", "integer", "100-1048576"),
    "track_io_timing": ("1", "dynamic", "boolean", "0,1"),
    "wal_buffers": (None, "static", "integer", "-1-262143"),
    "wal_keep_size": ("2048", "dynamic", "integer", "0-2147483647"),
    "wal_sender_timeout": (None, "dynamic", "integer", "0-3600000"),
    "work_mem": (None, "dynamic", "integer", "64-2147483647"),
}


def full_version(text: str | None) -> str | None:
    """The version that RDS makes of what a caller says; None for one that it does not have."""
    text = text or DEFAULT_MAJOR
    if text in MINORS:
        return f"{text}.{MINORS[text][-1]}"
    return text if text in VERSIONS else None


def version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def allowed(name: str, value: str) -> bool:
    """Whether a value is one that the parameter may have."""
    _, _, data_type, values = PARAMETERS[name]
    if not values or value == "":
        return True
    if value.startswith(("{", "GREATEST(", "LEAST(", "SUM(")):
        return True
    bounds = re.fullmatch(r"(-?\d+)-(\d+)", values)
    if bounds:
        try:
            return int(bounds.group(1)) <= float(value) <= int(bounds.group(2))
        except ValueError:
            return False
    choices = values.split(",")
    return set(value.split(",")) <= set(choices) if data_type == "list" else value in choices
