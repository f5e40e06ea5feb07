"""The peer of `bench.webhooks`: FastAPI as its documentation shows it, one INSERT and one commit for each request."""

from __future__ import annotations

import os
import sys

import asyncpg
import uvicorn
from fastapi import FastAPI, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


async def prepare(owner: str) -> None:
    """Make its table."""
    connection = await asyncpg.connect(owner)
    await connection.execute("create table bench_bodies (id bigserial primary key, body bytea not null, at timestamptz default now())")
    await connection.close()


def app() -> FastAPI:
    """The application."""
    bare = FastAPI()
    engine = create_async_engine(os.environ["BENCH_DATABASE"].replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=20)
    insert = text("insert into bench_bodies (body) values (:body)")

    @bare.post("/")
    async def take(request: Request) -> dict[str, bool]:
        async with engine.begin() as connection:
            await connection.execute(insert, {"body": await request.body()})
        return {"received": True}

    return bare


if __name__ == "__main__":
    uvicorn.run(app(), port=int(sys.argv[1]), log_level="error", access_log=False)
