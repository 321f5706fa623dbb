/* SPDX-License-Identifier: MIT */
/**
 * @file config_keys.h
 * Every setting, once. Included several times with different macros:
 *
 *   CONFIG_SECTION(name)
 *   CONFIG_KEY(kind, name, default, min, max, reload, help)
 *
 * Kinds: string; choice (the alternatives stand in `help` between brackets);
 * count; bytes (k, M, G suffixes, powers of 1024); time (ms, s, m, h). `min`
 * and `max` are lengths for strings, and numbers in base units for the rest.
 * `reload`: 1 when SIGHUP may change it.
 */
/* clang-format off */
#define CONFIG_K (1024u)
#define CONFIG_M (1024u * 1024u)
#define CONFIG_G (1024u * 1024u * 1024u)
#define CONFIG_S (1000u)
#define CONFIG_H (3600u * 1000u)

CONFIG_SECTION(server)
CONFIG_KEY(string, bind, "::", 1, 255, 0,
    "Address to listen on; :: takes IPv6 and IPv4 (env: BIND)")
CONFIG_KEY(count, port, "4000", 0, 65535, 0,
    "TCP port; 0 picks a free one and prints it (env: PORT)")
CONFIG_KEY(string, user, "", 0, 64, 0,
    "Started as root: the user to become once the port is open, or root to stay it; empty: roomd where there is one, else nobody, unless they cannot read this file and www")
CONFIG_KEY(string, hostname, "", 0, 253, 1,
    "Our public host name, for check_origin (env: PHX_HOST)")
CONFIG_KEY(string, secret_key_base, "", 0, 4096, 0,
    "Signs long-poll tokens, 64 bytes or more; empty: random (env: SECRET_KEY_BASE)")
CONFIG_KEY(string, check_origin, "auto", 1, 4096, 1,
    "Pages that may connect: true (of hostname), conn (of the requested host), false (any), auto (true with hostname; else conn if MIX_ENV=prod, false if not), or a list like https://a.example //*.b.example")
CONFIG_KEY(string, trusted_proxies, "", 0, 4096, 1,
    "Addresses and networks whose word about a client's address is believed, like 192.0.2.1 10.0.0.0/8, or the words loopback, private")
CONFIG_KEY(choice, forwarded_header, "x-forwarded-for", 0, 0, 1,
    "The header in which they name it; they must write this one themselves [x-forwarded-for forwarded]")
CONFIG_KEY(choice, proxy_protocol, "off", 0, 0, 1,
    "Whether their connections begin with a PROXY header, version 1 or 2 [off on]")
CONFIG_KEY(string, www, "", 0, 4096, 0,
    "Directory of static files; empty: the installed pages")
CONFIG_KEY(string, www_policy,
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    0, 4096, 0,
    "Content-Security-Policy of static files; empty: none is sent")
CONFIG_KEY(string, status_key, "", 0, 256, 1,
    "Key to the status page (/status/, /metrics.json); empty: off; public: no key is asked")
CONFIG_KEY(choice, doctor, "on", 0, 0, 1,
    "Whether there are the page /doctor, with which a user checks the connection, and /doctor.json [on off]")
CONFIG_KEY(choice, log_level, "info", 0, 0, 1,
    "Least level that is logged [debug info warning error]")
CONFIG_KEY(choice, log_format, "text", 0, 0, 1,
    "Form of a log line [text json]")
CONFIG_KEY(time, drain_delay, "0s", 0, 24 * CONFIG_H, 1,
    "After SIGTERM, how long /ready fails before connections are closed")
CONFIG_KEY(time, drain_timeout, "8s", 0, 24 * CONFIG_H, 1,
    "Then, how long closing may take before we exit all the same")

CONFIG_SECTION(timeouts)
CONFIG_KEY(time, head_timeout, "10s", 100, CONFIG_H, 1,
    "For a request head, from its first byte to its last")
CONFIG_KEY(time, request_timeout, "30s", 100, CONFIG_H, 1,
    "For a request body, likewise")
CONFIG_KEY(time, response_timeout, "60s", 100, CONFIG_H, 1,
    "For a response to be taken by the client")
CONFIG_KEY(time, keepalive_timeout, "75s", 100, CONFIG_H, 1,
    "Between two requests of one connection")
CONFIG_KEY(time, idle_timeout, "60s", 100, 24 * CONFIG_H, 1,
    "A WebSocket that sends nothing is closed with 1002")
CONFIG_KEY(time, message_timeout, "60s", 1 * CONFIG_S, CONFIG_H, 1,
    "For a WebSocket message from its first byte to its last, 1.5 times at most; longer closes with 1002")
CONFIG_KEY(time, close_timeout, "5s", 100, CONFIG_H, 1,
    "For the closing handshake of a WebSocket")
CONFIG_KEY(time, flap_life, "5s", 100, CONFIG_H, 1,
    "A WebSocket that is cut before has died young")
CONFIG_KEY(time, flap_window, "30s", 100, CONFIG_H, 1,
    "For how long such a death of a client's WebSocket counts")
CONFIG_KEY(time, flap_memory, "10m", 100, 24 * CONFIG_H, 1,
    "For how long a client with flap_deaths of them is refused WebSockets (429), so that it uses long-poll")
CONFIG_KEY(time, longpoll_window, "9s", 100, 18 * CONFIG_S, 1,
    "A poll without messages is answered after this; less than the 10s after which some proxies cut")
CONFIG_KEY(time, longpoll_session, "20s", 100, CONFIG_H, 1,
    "A long-poll session ends so long after its last poll")
CONFIG_KEY(time, room_empty, "60s", 0, 24 * CONFIG_H, 1,
    "A room ends so long after its last member left")
CONFIG_KEY(time, document_rest, "5s", 0, 24 * CONFIG_H, 1,
    "A document unused for so long is kept as bytes until it is needed; 0: never")
CONFIG_KEY(time, awareness_timeout, "30s", 100, CONFIG_H, 1,
    "An awareness state that is not renewed is removed")
CONFIG_KEY(time, awareness_grace, "3s", 0, CONFIG_H, 1,
    "Between the end of a connection and the removal of its awareness")

CONFIG_SECTION(limits)
CONFIG_KEY(count, connections, "20000", 1, 1000000, 1,
    "Open sockets; more WebSockets are opened and closed with 1013")
CONFIG_KEY(count, longpoll_sessions, "10000", 1, 1000000, 1,
    "Long-poll sessions; more are answered with status 500")
CONFIG_KEY(count, flap_deaths, "4", 0, 1000, 1,
    "WebSockets of one client that die young before it is sent to long-poll; 0: never (for clients that have none)")
CONFIG_KEY(count, flap_clients, "10000", 1, 1000000, 1,
    "Such clients that are remembered; the oldest is forgotten first")
CONFIG_KEY(count, address_connections, "2000", 0, 1000000, 1,
    "Sockets and long-poll sessions of one client address (IPv6: /64 network); more are closed with 1013 or answered with status 500; 0: no limit")
CONFIG_KEY(count, address_opens, "100", 0, 1000000, 1,
    "WebSockets and long-poll sessions that one client address may open in a second, in the long run; answered likewise; 0: no limit")
CONFIG_KEY(count, address_opens_burst, "2000", 1, 1000000, 1,
    "And at once")
CONFIG_KEY(choice, address_limits, "remote", 0, 0, 1,
    "Whose addresses that is about: remote leaves out this machine's own and trusted_proxies [remote all off]")
CONFIG_KEY(count, client_messages, "500", 0, 1000000, 1,
    "Messages of one client in a second, in the long run; who sends more is read more slowly, nothing is lost; 0: no limit")
CONFIG_KEY(count, client_messages_burst, "5000", 1, 100000000, 1,
    "And at once")
CONFIG_KEY(bytes, client_bytes, "4M", 0, CONFIG_G, 1,
    "Bytes of one client in a second, likewise")
CONFIG_KEY(bytes, client_bytes_burst, "32M", CONFIG_K, 64ull * CONFIG_G, 1,
    "And at once")
CONFIG_KEY(bytes, memory_bytes, "0", 0, 1024ull * CONFIG_G, 1,
    "Resident memory from which on nobody new is served (1013, status 500), the clients that hold most of it are closed with 1013, and 1/8 above it updates are refused; 0: three quarters of the machine's or the control group's")
CONFIG_KEY(bytes, head_bytes, "16k", 512, 16 * CONFIG_K, 1,
    "One HTTP request head; more is answered with 431")
CONFIG_KEY(bytes, frame_bytes, "16M", CONFIG_K, CONFIG_G, 1,
    "One WebSocket message; more closes with 1009")
CONFIG_KEY(bytes, body_bytes, "8M", CONFIG_K, CONFIG_G, 1,
    "One long-poll POST; more is answered with status 413")
CONFIG_KEY(bytes, line_bytes, "10M", CONFIG_K, CONFIG_G, 1,
    "One binary message of such a POST, decoded; more is answered with status 413")
CONFIG_KEY(bytes, poll_bytes, "512k", CONFIG_K, CONFIG_G, 1,
    "Messages of one poll response, before compression; at least one is sent")
CONFIG_KEY(bytes, gzip_bytes, "1k", 0, CONFIG_G, 1,
    "Smaller poll responses are not compressed")
CONFIG_KEY(bytes, gzip_max_bytes, "256k", 0, CONFIG_G, 1,
    "Larger ones are written, and compressed, piece by piece while they are sent")
CONFIG_KEY(bytes, queue_bytes, "8M", 4 * CONFIG_K, CONFIG_G, 1,
    "Waiting for one client; more drops awareness, then closes with 1013")
CONFIG_KEY(count, channels_per_socket, "100", 1, 100000, 1,
    "Joined topics per client; one more gets an error reply")
CONFIG_KEY(bytes, topic_bytes, "255", 1, 4 * CONFIG_K, 1,
    "Longest topic of a JSON message")
CONFIG_KEY(count, json_depth, "64", 1, 1000, 1,
    "Nesting of a JSON payload")
CONFIG_KEY(count, rooms, "100000", 1, 100000000, 1,
    "Rooms; a join that would make one more is refused")
CONFIG_KEY(count, members_per_room, "20000", 1, 10000000, 1,
    "Members of one room; one more is refused")
CONFIG_KEY(count, presence_rate, "20000", 0, 1000000000, 1,
    "Presence messages a second that the joins and leaves of one room may cause; what comes faster is told together, members / presence_rate late (never in rooms of 32 and less); 0: any")
CONFIG_KEY(bytes, document_bytes, "256M", CONFIG_K, 64ull * CONFIG_G, 1,
    "Memory of one document; updates past it are refused")
CONFIG_KEY(bytes, document_rest_bytes, "64k", 0, CONFIG_G, 1,
    "Documents with more memory never rest (document_rest)")
CONFIG_KEY(bytes, update_bytes, "16M", CONFIG_K, CONFIG_G, 1,
    "One document update")
CONFIG_KEY(bytes, pending_bytes, "16M", CONFIG_K, CONFIG_G, 1,
    "Updates of one room that wait for others they build on")
CONFIG_KEY(count, update_conflicts, "16000000", 100, 1000000000, 1,
    "Comparisons that one update may cost with what others inserted at the "
    "same places")
CONFIG_KEY(bytes, awareness_bytes, "1M", CONFIG_K, CONFIG_G, 1,
    "Awareness of one room, all states")
CONFIG_KEY(bytes, awareness_state_bytes, "64k", 64, CONFIG_G, 1,
    "One awareness state")
CONFIG_KEY(count, awareness_clients, "20000", 1, 10000000, 1,
    "Awareness states of one room")
CONFIG_KEY(count, awareness_tombstones, "1024", 0, 10000000, 1,
    "Removed awareness states that a room remembers")

#undef CONFIG_K
#undef CONFIG_M
#undef CONFIG_G
#undef CONFIG_S
#undef CONFIG_H
/* clang-format on */
