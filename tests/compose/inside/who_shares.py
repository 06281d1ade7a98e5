"""Run beside Kafka: the state of a consumer group and how many partitions each member has. Prints JSON."""

import asyncio
import json
import os

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from careroute.network import find
from shared.kafka.client import client_options


async def main() -> None:
    admin = AIOKafkaAdminClient(**client_options(find().kafka_settings()))
    await admin.start()
    (answer,) = await admin.describe_consumer_groups([os.environ["GROUP"]])
    ((_, _, state, _, _, members, *_),) = answer.groups
    shares = {}
    for member, _, _, _, assignment, *_ in members:
        told = ConsumerProtocolMemberAssignment.decode(assignment) if assignment else None
        shares[member] = sum(len(numbers) for _, numbers in told.assignment) if told else 0
    print(json.dumps([state, shares]))
    await admin.close()


asyncio.run(main())
