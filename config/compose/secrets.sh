#!/usr/bin/env bash
# Makes what docker-compose.yml needs and is not there yet: .secrets/ (passwords, URLs, master key) and .env (who reads
# them). Never changes an existing file. Keep a copy of .secrets/master_key elsewhere: without it the companies'
# credentials cannot be read again.
set -euo pipefail
cd "$(dirname "$0")/../.."
umask 077
mkdir -p .secrets

# 32 random bytes as hexadecimal digits: safe inside a URL.
random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }
fresh() { if [ ! -e ".secrets/$1" ]; then printf '%s' "$2" >".secrets/$1"; echo "made .secrets/$1" >&2; fi; }

for name in postgres_password migrator_password app_password redis_password master_key; do fresh "$name" "$(random)"; done
fresh database_url "postgres://secretaria_app:$(cat .secrets/app_password)@postgres/secretaria"
fresh database_admin_url "postgres://secretaria_migrator:$(cat .secrets/migrator_password)@postgres/secretaria"
fresh redis_url "redis://:$(cat .secrets/redis_password)@redis:6379/0"

# Containers see the files with the owner they have here and run under different users: the folder keeps others of this
# machine out. The master key is refused unless only its owner may read it, so its owner runs the services.
chmod 0700 .secrets
chmod 0444 .secrets/*
chmod 0400 .secrets/master_key
uid=$(id -u) gid=$(id -g)
if [ "$uid" -eq 0 ]; then
    uid=10001 gid=10001
    chown "$uid:$gid" .secrets/master_key
fi
if [ ! -e .env ]; then printf 'SECRETARIA_UID=%s\nSECRETARIA_GID=%s\n' "$uid" "$gid" >.env; echo "made .env" >&2; fi
