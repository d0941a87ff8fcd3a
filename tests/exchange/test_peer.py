import websocket


def test_pings_are_answered_in_either_dialect(exchange):
    client = exchange()
    for path in ("/ws/api/v2", "/ws"):
        connection = websocket.create_connection(
            client.http.replace("http", "ws") + path, timeout=20
        )
        connection.ping("same")

        assert b"same" == connection.recv_frame().data
        connection.shutdown()
