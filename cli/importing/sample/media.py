"""Every kind of media that a message can have, as the export describes it."""

from typing import Any

NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"
TOO_LARGE = "(File exceeds maximum size. Change data exporting settings to download.)"
UNAVAILABLE = "(File unavailable, please try again later)"
POINT = {"latitude": 57.704213, "longitude": 11.963405}


def _file(name: str, mime: str, **more: Any) -> dict[str, Any]:
    return {
        "file": f"files/{name}",
        "file_name": name,
        "file_size": 48_213,
        **more,
        "mime_type": mime,
    }


MEDIA: tuple[dict[str, Any], ...] = (
    {
        "photo": "photos/photo_1@17-05-2021_09-30-12.jpg",
        "photo_file_size": 81_020,
        "width": 1280,
        "height": 960,
    },
    {"photo": NOT_INCLUDED, "width": 800, "height": 600, "media_spoiler": True},
    {"photo": UNAVAILABLE, "self_destruct_period_seconds": 30},
    _file("planting plan.pdf", "application/pdf"),
    _file("no extension", "application/octet-stream", thumbnail=TOO_LARGE),
    {
        "file": TOO_LARGE,
        "file_name": "מפת הגינה.zip",
        "file_size": 2_147_483_648,
        "mime_type": "application/zip",
    },
    {
        "file": NOT_INCLUDED,
        "media_type": "sticker",
        "sticker_emoji": "🌻",
        "mime_type": "image/webp",
        "width": 512,
        "height": 512,
    },
    {
        "file": "stickers/sticker.tgs",
        "media_type": "sticker",
        "mime_type": "application/x-tgsticker",
    },
    {
        "file": "round_video_messages/file_7.mp4",
        "media_type": "video_message",
        "mime_type": "video/mp4",
        "duration_seconds": 9,
    },
    {
        "file": "voice_messages/audio_3.ogg",
        "media_type": "voice_message",
        "mime_type": "audio/ogg",
        "duration_seconds": 12,
    },
    _file(
        "ducks.mp4", "video/mp4", media_type="animation", duration_seconds=3, width=480, height=270
    ),
    _file(
        "the old ferry.mp4",
        "video/mp4",
        thumbnail="video_files/thumb.jpg",
        media_type="video_file",
        duration_seconds=64,
    ),
    {
        "file": NOT_INCLUDED,
        "media_type": "video_file",
        "mime_type": "video/mp4",
        "media_spoiler": True,
    },
    _file(
        "low_tide.mp3",
        "audio/mpeg",
        media_type="audio_file",
        performer="The Breakwaters",
        title="Low Tide",
        duration_seconds=201,
    ),
    _file("untitled.mp3", "audio/mpeg", media_type="audio_file"),
    {
        "contact_information": {
            "first_name": "Harbour",
            "last_name": "Office",
            "phone_number": "+00 555 0101",
        }
    },
    {
        "contact_information": {"first_name": "Zoë", "last_name": "", "phone_number": ""},
        "contact_vcard": "contacts/contact_1.vcard",
        "contact_vcard_file_size": 210,
    },
    {"location_information": POINT},
    {"location_information": POINT, "live_location_period_seconds": 900},
    {"location_information": None},
    {"place_name": "Plot nine", "address": "Breakwater Lane 9", "location_information": POINT},
    {
        "game_title": "Snail Race",
        "game_description": "Last one wins",
        "game_link": "https://games.example/snails",
    },
    {
        "invoice_information": {
            "title": "Plot rent",
            "description": "One season",
            "amount": 4_500,
            "currency": "SEK",
            "receipt_message_id": 12,
        }
    },
    {"invoice_information": '{\n "title": "Plot rent"\n}'},
    {
        "poll": {
            "question": "When do we paint the shed?",
            "closed": False,
            "total_voters": 9,
            "answers": [
                {"text": "Saturday", "voters": 6, "chosen": True},
                {"text": "Never 🎨", "voters": 3, "chosen": False},
            ],
        }
    },
    {
        "poll": {
            "question": [{"type": "plain", "text": "Beans or "}, {"type": "bold", "text": "peas"}],
            "closed": True,
            "total_voters": 0,
            "answers": [{"text": ["Beans"], "voters": 0, "chosen": False}],
        }
    },
    {
        "todo_list": {
            "title": "Before the frost",
            "others_can_append": True,
            "others_can_complete": True,
            "items": [{"id": 1, "text": "Drain the pipes"}, {"id": 2, "text": "Bring in the pots"}],
        }
    },
    {
        "giveaway_information": {
            "quantity": 2,
            "months": 3,
            "until_date": "2021-06-01T12:00:00",
            "channels": [5100011],
            "countries": [],
        }
    },
    {
        "giveaway_results": {
            "channel": 5100011,
            "winners": [5100001, 5100002],
            "winners_count": 2,
            "unclaimed_count": 0,
        }
    },
    {"paid_stars_amount": 5},
    {"file": NOT_INCLUDED, "media_type": "hologram", "mime_type": "model/something-newer"},
)
