#!/usr/bin/env bash
# Log in to the registry, with login.sh's credentials where it is the cloud's.
#   IMAGE_REPOSITORY                     the repository of images
#   REGISTRY_USER, REGISTRY_PASSWORD     for any other registry: the pipeline's own short-lived token
. "$(dirname "$0")/lib.sh"

need IMAGE_REPOSITORY "the repository of images, such as ghcr.io/example/leadgen"
program docker
host=${IMAGE_REPOSITORY%%/*}
case $host in
  *.dkr.ecr.*.amazonaws.com) user=AWS password=$(aws ecr get-login-password) ;;
  *.pkg.dev) user=oauth2accesstoken password=$(gcloud auth print-access-token) ;;
  *)
    need REGISTRY_USER "who logs in to $host"
    need REGISTRY_PASSWORD "the pipeline's token for $host"
    user=$REGISTRY_USER password=$REGISTRY_PASSWORD
    ;;
esac
printf '%s' "$password" | docker login --username "$user" --password-stdin "$host"
