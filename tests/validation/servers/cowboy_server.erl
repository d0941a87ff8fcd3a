%% Cowboy with a process a connection. Arguments: address, port, updates a second, bytes of an update, of a state.
-module(cowboy_server).
-export([start/0, init/2, websocket_init/1, websocket_handle/2, websocket_info/2, terminate/3]).

start() ->
    [Host, Port, Rate, Payload, State] = init:get_plain_arguments(),
    {ok, _} = application:ensure_all_started(cowboy),
    persistent_term:put(state, list_to_integer(State) div 16),
    persistent_term:put(pad, binary:copy(<<"x">>, list_to_integer(Payload))),
    Me = self(),
    spawn(fun() ->
        ets:new(followers, [named_table, public]),
        Me ! ready,
        publish(1, 1000 / list_to_float(Rate), erlang:monotonic_time(millisecond))
    end),
    receive ready -> ok end,
    Routes = cowboy_router:compile([{'_', [{"/ws", ?MODULE, ws}, {"/snapshot", ?MODULE, rest}]}]),
    {ok, Address} = inet:parse_address(Host),
    Socket = [{ip, Address}, {port, list_to_integer(Port)}, {backlog, 2048}],
    Transport = #{max_connections => infinity, socket_opts => Socket},
    {ok, _} = cowboy:start_clear(http, Transport, #{env => #{dispatch => Routes}}).

publish(Seq, Every, Due) ->
    timer:sleep(max(0, trunc(Due) - erlang:monotonic_time(millisecond))),
    Update = iolist_to_binary([
        "{\"ch\": \"updates\", \"ts\": ", now_ms(), ", \"seq\": ", integer_to_list(Seq),
        ", \"pad\": \"", persistent_term:get(pad), "\"}"
    ]),
    [Follower ! {update, Update} || {Follower} <- ets:tab2list(followers)],
    publish(Seq + 1, Every, Due + Every).

now_ms() -> integer_to_list(erlang:system_time(millisecond)).

init(Request, ws) ->
    {cowboy_websocket, Request, none, #{idle_timeout => infinity}};
init(Request, rest) ->
    Headers = #{<<"content-type">> => <<"application/json">>},
    {ok, cowboy_req:reply(200, Headers, ["{\"ts\": ", now_ms(), "}"], Request), rest}.

%% A list of so many cells, 16 bytes each, on the process's own heap.
websocket_init(_) ->
    {ok, lists:seq(1, persistent_term:get(state))}.

websocket_handle({text, Asked}, State) ->
    {match, [Id]} = re:run(Asked, "\"id\": ?([0-9]+)", [{capture, [1], binary}]),
    case re:run(Asked, "\"unsubscribe\"") of
        nomatch -> ets:insert(followers, {self()});
        _ -> ets:delete(followers, self())
    end,
    {reply, {text, <<"{\"id\": ", Id/binary, ", \"ok\": true}">>}, State};
websocket_handle(_, State) ->
    {ok, State}.

websocket_info({update, Update}, State) -> {reply, {text, Update}, State};
websocket_info(_, State) -> {ok, State}.

terminate(_, _, _) ->
    catch ets:delete(followers, self()),
    ok.
