"""Run beside Kafka: a stranger writes something that no consumer can read. Prints JSON."""

import asyncio
import json
import os

from aiokafka import AIOKafkaProducer

from careroute.network import find
from shared.kafka.client import client_options


async def main() -> None:
    async with AIOKafkaProducer(**client_options(find().kafka_settings())) as producer:
        await producer.send_and_wait(os.environ["TOPIC"], b"not json", key=b"k")
    print(json.dumps("sent"))


asyncio.run(main())
