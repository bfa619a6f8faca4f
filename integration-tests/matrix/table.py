"""The access matrix: each public route, asked by each kind of person, of each kind of channel.

A heading is a request. A row beneath it names the channel (`-`: the route has none; `other`: a
private group of which none of these people is a member) and, where the route names a user or a
session, which one. `direct` is between owner and member, and all others are strangers to it.

A column is who asks. `left` was a member and left. `nobody` is the owner after signing out, with
the token of the session that ended. A cell is a status, or a word of `WORDS` for a problem's code.
"""

WORDS = {
    "absent": "200, but the list is without the channel",
    "banned": "banned",
    "denied": "access_denied",
    "ended": "refresh_invalid",
    "field": "field_invalid",
    "limit": "limit_hit",
    "none": "member_unknown",
    "post": "post_denied",
    "role": "role_too_low",
    "session": "session_unknown",
    "stays": "owner_stays",
    "taken": "handle_taken",
    "token": "token_invalid",
}

# What answers without a token. Whoever adds a route here says why in its commit.
OPEN = frozenset(
    {
        "POST /v1/accounts",
        "POST /v1/sessions",
        "POST /v1/sessions/refresh",
        "GET /v1/keys",
    }
)

# Sockets, which the OpenAPI document cannot name. The channel is not in their path, but watched.
SOCKETS = frozenset({"GET /v1/ws"})

TABLE = """\
                                 owner    admin   member  restricted banned  left    stranger nobody

# Accounts and sessions

POST /v1/accounts {"handle": "{handle}", "password": "{password}", "display_name": "Again"}
  -                            | taken    taken   taken   taken      taken   taken   taken    taken

POST /v1/sessions {"handle": "{handle}", "password": "{password}", "device": {device}}
  -                            | 201      201     201     201        201     201     201      201

POST /v1/sessions/refresh {"refresh_token": "{refresh}"}
  -                            | 200      200     200     200        200     200     200      ended

GET /v1/sessions
  -                            | 200      200     200     200        200     200     200      token

DELETE /v1/sessions
  -                            | 204      204     204     204        204     204     204      token

DELETE /v1/sessions/{session}
  -, own                       | 204      204     204     204        204     204     204      token
  -, another's                 | session  session session session    session session session  token

GET /v1/me
  -                            | 200      200     200     200        200     200     200      token

GET /v1/keys
  -                            | 200      200     200     200        200     200     200      200

# Channels

POST /v1/channels {"client_id": "{fresh}", "kind": "group", "title": "Mine"}
  -                            | 201      201     201     201        201     201     201      token

GET /v1/me/channels?limit=100
  private group                | 200      200     200     200        absent  absent  absent   token
  public group                 | 200      200     200     200        absent  absent  absent   token
  private broadcast            | 200      200     200     200        absent  absent  absent   token
  public broadcast             | 200      200     200     200        absent  absent  absent   token
  direct                       | 200      absent  200     absent     absent  absent  absent   token
  other                        | absent   absent  absent  absent     absent  absent  absent   token

GET /v1/channels?handle={name}
  private group                | 200      200     200     200        absent  absent  absent   token
  public group                 | 200      200     200     200        absent  200     200      token
  private broadcast            | 200      200     200     200        absent  absent  absent   token
  public broadcast             | 200      200     200     200        absent  200     200      token
  other                        | absent   absent  absent  absent     absent  absent  absent   token

GET /v1/channels/{channel}
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

PATCH /v1/channels/{channel} {"title": "Another"}
  private group                | 200      200     role    role       banned  denied  denied   token
  public group                 | 200      200     role    role       banned  role    role     token
  private broadcast            | 200      200     role    role       banned  denied  denied   token
  public broadcast             | 200      200     role    role       banned  role    role     token
  direct                       | field    denied  role    denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

# Members. With {user}: a new one for each cell, who is what the row says; `self` is who asks.

GET /v1/channels/{channel}/members
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  denied  denied   token
  private broadcast            | 200      200     role    role       banned  denied  denied   token
  public broadcast             | 200      200     role    role       banned  denied  denied   token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

PUT /v1/channels/{channel}/members/me
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

DELETE /v1/channels/{channel}/members/me
  private group                | stays    204     204     204        204     204     204      token
  public group                 | stays    204     204     204        204     204     204      token
  private broadcast            | stays    204     204     204        204     204     204      token
  public broadcast             | stays    204     204     204        204     204     204      token
  direct                       | stays    stays   stays   stays      stays   stays   stays    token
  other                        | 204      204     204     204        204     204     204      token

PUT /v1/channels/{channel}/members/{user} {"role": "admin"}
  private group, owner         | stays    stays   role    role       banned  denied  denied   token
  private group, admin         | 200      role    role    role       banned  denied  denied   token
  private group, member        | 200      role    role    role       banned  denied  denied   token
  private group, restricted    | 200      role    role    role       banned  denied  denied   token
  private group, banned        | banned   role    role    role       banned  denied  denied   token
  private group, stranger      | 200      role    role    role       banned  denied  denied   token
  private group, self          | stays    role    role    role       banned  denied  denied   token
  public group, member         | 200      role    role    role       banned  role    role     token
  private broadcast, member    | 200      role    role    role       banned  denied  denied   token
  public broadcast, member     | 200      role    role    role       banned  role    role     token
  direct, member               | stays    denied  role    denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

PUT /v1/channels/{channel}/members/{user} {"role": "member"}
  private group, owner         | stays    stays   role    role       banned  denied  denied   token
  private group, admin         | 200      role    role    role       banned  denied  denied   token
  private group, member        | 200      200     role    role       banned  denied  denied   token
  private group, restricted    | 200      200     role    role       banned  denied  denied   token
  private group, banned        | banned   banned  role    role       banned  denied  denied   token
  private group, stranger      | 200      200     role    role       banned  denied  denied   token
  private group, self          | stays    role    role    role       banned  denied  denied   token
  public group, member         | 200      200     role    role       banned  role    role     token
  private broadcast, member    | 200      200     role    role       banned  denied  denied   token
  public broadcast, member     | 200      200     role    role       banned  role    role     token
  direct, member               | stays    denied  role    denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

PUT /v1/channels/{channel}/members/{user} {"role": "restricted"}
  private group, owner         | stays    stays   role    role       banned  denied  denied   token
  private group, admin         | 200      role    role    role       banned  denied  denied   token
  private group, member        | 200      200     role    role       banned  denied  denied   token
  private group, restricted    | 200      200     role    role       banned  denied  denied   token
  private group, banned        | banned   banned  role    role       banned  denied  denied   token
  private group, stranger      | 200      200     role    role       banned  denied  denied   token
  private group, self          | stays    role    role    role       banned  denied  denied   token
  public group, member         | 200      200     role    role       banned  role    role     token
  private broadcast, member    | 200      200     role    role       banned  denied  denied   token
  public broadcast, member     | 200      200     role    role       banned  role    role     token
  direct, member               | stays    denied  role    denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

DELETE /v1/channels/{channel}/members/{user}
  private group, owner         | stays    stays   role    role       banned  denied  denied   token
  private group, admin         | 204      role    role    role       banned  denied  denied   token
  private group, member        | 204      204     role    role       banned  denied  denied   token
  private group, restricted    | 204      204     role    role       banned  denied  denied   token
  private group, banned        | none     none    role    role       banned  denied  denied   token
  private group, stranger      | none     none    role    role       banned  denied  denied   token
  private group, self          | stays    204     204     204        204     204     204      token
  public group, member         | 204      204     role    role       banned  role    role     token
  private broadcast, member    | 204      204     role    role       banned  denied  denied   token
  public broadcast, member     | 204      204     role    role       banned  role    role     token
  direct, member               | stays    denied  stays   denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

PUT /v1/channels/{channel}/bans/{user}
  private group, owner         | stays    stays   role    role       banned  denied  denied   token
  private group, admin         | 200      role    role    role       banned  denied  denied   token
  private group, member        | 200      200     role    role       banned  denied  denied   token
  private group, restricted    | 200      200     role    role       banned  denied  denied   token
  private group, banned        | 200      200     role    role       banned  denied  denied   token
  private group, stranger      | 200      200     role    role       banned  denied  denied   token
  private group, self          | stays    role    role    role       banned  denied  denied   token
  public group, member         | 200      200     role    role       banned  role    role     token
  private broadcast, member    | 200      200     role    role       banned  denied  denied   token
  public broadcast, member     | 200      200     role    role       banned  role    role     token
  direct, member               | stays    denied  role    denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

DELETE /v1/channels/{channel}/bans/{user}
  private group, owner         | 204      204     role    role       banned  denied  denied   token
  private group, admin         | 204      204     role    role       banned  denied  denied   token
  private group, member        | 204      204     role    role       banned  denied  denied   token
  private group, restricted    | 204      204     role    role       banned  denied  denied   token
  private group, banned        | 204      204     role    role       banned  denied  denied   token
  private group, stranger      | 204      204     role    role       banned  denied  denied   token
  private group, self          | 204      204     role    role       banned  denied  denied   token
  public group, member         | 204      204     role    role       banned  role    role     token
  private broadcast, member    | 204      204     role    role       banned  denied  denied   token
  public broadcast, member     | 204      204     role    role       banned  role    role     token
  direct, member               | 204      denied  role    denied     denied  denied  denied   token
  other, member                | denied   denied  denied  denied     denied  denied  denied   token

# Posts

POST /v1/channels/{channel}/messages {"client_id": "{fresh}", "text": "Hello"}
  private group                | 201      201     201     post       banned  denied  denied   token
  public group                 | 201      201     201     post       banned  post    post     token
  private broadcast            | 201      201     post    post       banned  denied  denied   token
  public broadcast             | 201      201     post    post       banned  post    post     token
  direct                       | 201      denied  201     denied     denied  denied  denied   token
  group for its owner          | 201      post    post    post       banned  denied  denied   token
  group for admins             | 201      201     post    post       banned  denied  denied   token
  broadcast for members        | 201      201     201     post       banned  denied  denied   token
  public, for everyone         | 201      201     201     post       banned  201     201      token
  private, for everyone        | 201      201     201     post       banned  denied  denied   token
  slow group, again at once    | 201      201     limit   post       banned  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

# Reading. Of a poll of many and of streams the answer is what they say of the channel.

GET /v1/channels/{channel}/messages
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

GET /v1/channels/{channel}/poll?wait=0
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

POST /v1/poll {"cursors": {"{channel}": null}, "wait": 0}
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

GET /v1/stream?channels={channel}
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token

GET /v1/ws?{channel}
  private group                | 200      200     200     200        banned  denied  denied   token
  public group                 | 200      200     200     200        banned  200     200      token
  private broadcast            | 200      200     200     200        banned  denied  denied   token
  public broadcast             | 200      200     200     200        banned  200     200      token
  direct                       | 200      denied  200     denied     denied  denied  denied   token
  other                        | denied   denied  denied  denied     denied  denied  denied   token
"""
