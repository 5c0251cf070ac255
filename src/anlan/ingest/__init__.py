"""The one door for observations, and the ways to it: MQTT, HTTP batches, files, replays."""

from anlan.ingest.adapters import TOPICS, Adapter, OwnForm
from anlan.ingest.broker import EmbeddedBroker
from anlan.ingest.door import Door, Inbox, Limits
from anlan.ingest.files import Columns, Reading, read_observations, write_observations
from anlan.ingest.mqtt import MqttIngress
from anlan.ingest.replay import Beat, Message, Pace, beats, replay
from anlan.ingest.sensorthings import Datastream, SensorThings
from anlan.ingest.weather import WEATHER_TOPICS, weather_message
from anlan.ingest.wire import decode, encode
from anlan.ingest.wiring import adapters_of, read_adapters

__all__ = [
    "TOPICS",
    "WEATHER_TOPICS",
    "Adapter",
    "Beat",
    "Columns",
    "Datastream",
    "Door",
    "EmbeddedBroker",
    "Inbox",
    "Limits",
    "Message",
    "MqttIngress",
    "OwnForm",
    "Pace",
    "Reading",
    "SensorThings",
    "adapters_of",
    "beats",
    "decode",
    "encode",
    "read_adapters",
    "read_observations",
    "replay",
    "weather_message",
    "write_observations",
]
