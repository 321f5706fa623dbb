/* SPDX-License-Identifier: MIT */
/* See message.h. Must never touch what the message borrows. */
#include "room/message.h"

#include "base/blob.h"

void payload_deinit(struct payload *payload)
{
    blob_unref(payload->bytes);
    blob_unref(payload->ints);
    blob_unref(payload->quoted);
    payload->bytes = payload->ints = payload->quoted = NULL;
}

void message_deinit(struct message *message)
{
    for (int i = 0; i < WIRE_FORMS; i++) {
        blob_unref(message->wire[i]);
        message->wire[i] = NULL;
    }
}
