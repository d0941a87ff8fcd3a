<?php
// One loop over stream_select. Options as the launcher hands them on, in bytes and updates a second.
$options = json_decode($argv[1], true);
$padding = str_repeat('x', $options['payload_bytes']);
$clients = [];

function now_ms() {
    return sprintf('%.3f', microtime(true) * 1000);
}

function frame($payload, $opcode = 0x81) {
    $size = strlen($payload);
    return ($size < 126 ? pack('CC', $opcode, $size) : pack('CCn', $opcode, 126, $size)) . $payload;
}

// Numbers in an array that PHP's own allocator keeps, 16 bytes each.
function state($bytes) {
    $kept = [];
    for ($n = 0; $n < $bytes / 16; $n++) {
        $kept[] = $n + 0.5;
    }
    return $kept;
}

function shake_hands($client, $options, $padding) {
    [$head, $rest] = explode("\r\n\r\n", $client->data, 2);
    $client->data = $rest;
    if (!preg_match('/^sec-websocket-key: *(\S+)/im', $head, $key)) {
        $body = '{"ts": ' . now_ms() . ', "pad": "' . $padding . '"}';
        $size = strlen($body);
        $kind = 'Content-Type: application/json';
        @fwrite($client->socket, "HTTP/1.1 200 OK\r\n$kind\r\nContent-Length: $size\r\n\r\n$body");
        return;
    }
    $accept = base64_encode(sha1($key[1] . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true));
    @fwrite(
        $client->socket,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        . "Sec-WebSocket-Accept: $accept\r\n\r\n"
    );
    $client->state = state($options['state_bytes']);
}

// Whether there was a frame; a client that says farewell has no socket any more.
function take_frame($client) {
    $data = $client->data;
    if (strlen($data) < 6) {
        return false;
    }
    $size = ord($data[1]) & 127;
    $start = 2;
    if ($size === 126) {
        $size = unpack('n', substr($data, 2, 2))[1];
        $start = 4;
    }
    if (strlen($data) < $start + 4 + $size) {
        return false;
    }
    $mask = str_repeat(substr($data, $start, 4), intdiv($size, 4) + 1);
    $payload = substr($data, $start + 4, $size) ^ $mask;
    $client->data = substr($data, $start + 4 + $size);
    switch (ord($data[0]) & 15) {
        case 1:
            $asked = json_decode($payload, true);
            $client->follows = $asked['op'] === 'subscribe';
            @fwrite($client->socket, frame('{"id": ' . $asked['id'] . ', "ok": true}'));
            break;
        case 8:
            fclose($client->socket);
            $client->socket = null;
            return false;
        case 9:
            @fwrite($client->socket, frame($payload, 0x8a));
    }
    return true;
}

function hear($client, $options, $padding) {
    $read = fread($client->socket, 65536);
    if (($read === '' || $read === false) && feof($client->socket)) {
        fclose($client->socket);
        $client->socket = null;
        return;
    }
    $client->data .= $read;
    if ($client->state === null && str_contains($client->data, "\r\n\r\n")) {
        shake_hands($client, $options, $padding);
    }
    while ($client->state !== null && take_frame($client)) {
    }
}

$listening = stream_socket_server(
    "tcp://{$options['host']}:{$options['port']}",
    $_code,
    $_why,
    STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
    stream_context_create(['socket' => ['backlog' => 2048]])
);
stream_set_blocking($listening, false);
$due = microtime(true);
$seq = 0;
while (true) {
    $ready = [$listening];
    foreach ($clients as $id => $client) {
        $ready[$id] = $client->socket;
    }
    $write = $except = null;
    $wait_us = (int) max(0, ($due - microtime(true)) * 1e6);
    if (@stream_select($ready, $write, $except, 0, $wait_us) === false) {
        usleep(1000);
        $ready = [];
    }
    foreach ($ready as $id => $socket) {
        if ($socket !== $listening) {
            hear($clients[$id], $options, $padding);
            if ($clients[$id]->socket === null) {
                unset($clients[$id]);
            }
        } elseif ($new = @stream_socket_accept($listening, 0)) {
            stream_set_blocking($new, false);
            $clients[(int) $new] = (object) ['socket' => $new, 'data' => '', 'state' => null, 'follows' => false];
        }
    }
    if (microtime(true) >= $due) {
        $due = max($due + 1 / $options['rate_per_s'], microtime(true));
        $seq++;
        $update = frame('{"ch": "updates", "ts": ' . now_ms() . ', "seq": ' . $seq . ', "pad": "' . $padding . '"}');
        foreach ($clients as $client) {
            if ($client->follows) {
                @fwrite($client->socket, $update);
            }
        }
    }
}
