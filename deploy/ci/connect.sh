#!/usr/bin/env bash
# Write the cluster into a kubeconfig of this run.
#   CLOUD      aws, gcp or local
#   DELIVERY   with gitops the cluster pulls: nothing to connect to
. "$(dirname "$0")/lib.sh"

outputs=$(overlay)/terraform.env
[ "${DELIVERY:-}" != gitops ] || { say "the cluster pulls its releases: nothing to connect to" && exit 0; }
[ "$CLOUD" != digitalocean ] ||
  fail "no pipeline holds a key to a DigitalOcean cluster: set DELIVERY=gitops (deploy/docs/continuous-delivery.md)."
program kubectl
case $CLOUD in
  aws) program aws ;;
  gcp) program gcloud && program gke-gcloud-auth-plugin ;; # kubectl asks the plugin for its token
esac
if [ "$CLOUD" != local ]; then
  export KUBECONFIG=$STATE/kubeconfig
  printf 'export KUBECONFIG=%q\n' "$KUBECONFIG" >>"$STATE/env"
  cluster=$(setting kube_cluster "$outputs") region=$(setting kube_region "$outputs")
fi
case $CLOUD in
  aws) aws eks update-kubeconfig --name "$cluster" --region "$region" ;;
  gcp) gcloud container clusters get-credentials "$cluster" --region "$region" --project "$GOOGLE_PROJECT" ;;
esac
in_namespace auth can-i patch deployments
