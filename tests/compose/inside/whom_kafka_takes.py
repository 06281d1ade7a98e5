"""Run in the operator's container: who is let in by Kafka, and what the others get. Prints JSON."""

import asyncio
import json
import ssl
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from careroute.network import find
from shared.kafka.client import client_options

KNOWN = client_options(find().kafka_settings())
SERVER = {"bootstrap_servers": KNOWN["bootstrap_servers"]}
CLIENTS = {
    "operator with its password": KNOWN,
    "nobody, without TLS": SERVER,
    "nobody, with TLS": SERVER | {"security_protocol": "SSL", "ssl_context": KNOWN["ssl_context"]},
    "operator with a wrong password": KNOWN | {"sasl_plain_password": "wrong"},
    "a user that there is not": KNOWN | {"sasl_plain_username": "somebody"},
    "operator with its password, without TLS": KNOWN
    | {"security_protocol": "SASL_PLAINTEXT", "ssl_context": None},
    "operator, trusting other authorities": KNOWN | {"ssl_context": ssl.create_default_context()},
}


async def answer(options: dict[str, Any]) -> str:
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=5_000)
    try:
        async with asyncio.timeout(10):
            await admin.start()
            await admin.list_topics()
    except Exception as error:  # whatever it is, it is a refusal
        return type(error).__name__
    finally:
        await admin.close()
    return "let in"


async def main() -> None:
    print(json.dumps({name: await answer(options) for name, options in CLIENTS.items()}))


asyncio.run(main())
