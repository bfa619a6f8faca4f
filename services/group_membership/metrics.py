"""Metrics of group-membership."""

from libs.runtime.metrics import counter, gauge

FREE = gauge("membership_free_partitions", "Partitions that no channel has, of all pools")
CLAIMS_LOST = counter("membership_claims_lost", "Claims that came second to a partition")
ANNOUNCED = counter("membership_access_changes", "Changes of access told to gateways")
SKIPPED = counter("membership_records_skipped", "Records of the log that could not be read")
