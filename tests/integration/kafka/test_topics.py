"""Topics are made by `create_topics` alone, with the partitions and the retention that the settings say."""

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.client import client_options, create_topics
from shared.settings import ServiceSettings


def settings(kafka_servers: str) -> ServiceSettings:
    return ServiceSettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": kafka_servers, "KAFKA_PARTITIONS": 3})


async def partitions(own: ServiceSettings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(**client_options(own))
    await admin.start()
    try:
        found = await admin.describe_topics(await admin.list_topics())
        return {topic["topic"]: len(topic["partitions"]) for topic in found}
    finally:
        await admin.close()


async def test_whoever_asks_about_a_topic_does_not_make_it(kafka_servers: str) -> None:
    """Seen on a broker that had lost everything: consumers that looked for their topics made them anew with
    four partitions, while producers went on to write six."""
    own = settings(kafka_servers)
    async with AIOKafkaConsumer(**client_options(own)) as consumer:
        consumer.subscribe(["nobody.made.this"])
        await consumer.getmany(timeout_ms=1000)
        assert "nobody.made.this" not in await partitions(own)
        await create_topics(own, {"nobody.made.this"})
        assert (await partitions(own))["nobody.made.this"] == 3
