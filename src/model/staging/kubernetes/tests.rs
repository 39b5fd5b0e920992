//! Releases of whole deployments.

use serde_json::{Value, json};

use super::*;
use crate::model::deployment::{DeploymentItem, FileCache, cluster_objects};
use crate::model::guard::{Credentials, Guard};
use crate::model::inventory::{Inventory, InventoryDocument};

const HEAD_OF_INVENTORY: &str = "
staging:
  environment: {CKI_DEPLOYMENT_ENVIRONMENT: staging}
  values: [{variable: VHOST, pattern: '/', replacement: /staging}]
  variables: [{pattern: 'MQ_(.*)', replacement: 'MQ_STAGING_${1}'}, {pattern: OLD, replacement: VHOST}]
  secrets: [{pattern: 'web-(.*)', replacement: 'web-staging-${1}'}]
  secret_keys: [{pattern: 'MQ_(.*)', replacement: 'MQ_STAGING_${1}'}]
  hosts: [mq.prod.example]
production:
  environment: {CKI_DEPLOYMENT_ENVIRONMENT: development, IS_PRODUCTION: 'false'}
  hosts: ['*.prod.example']
";

const FILES: &str = "
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: production
  labels: {app: web, team: x}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {example.com/role: production}}
    spec:
      serviceAccountName: robot
      priorityClassName: high
      imagePullSecrets: [{name: web-pull}]
      initContainers: [{name: migrate, image: 'quay.io/x/web:1', command: [migrate, $(MQ_PASSWORD)]}]
      containers:
        - name: web
          image: quay.io/x/web:production
          envFrom: [{configMapRef: {name: settings}}]
          env:
            - {name: MQ_PASSWORD, valueFrom: {secretKeyRef: {name: web-secrets, key: MQ_PASSWORD}}}
            - {name: MQ_URL, value: 'amqps://x:$(MQ_PASSWORD)@mq.prod.example/'}
            - {name: IS_PRODUCTION, value: 'true'}
            - {name: VHOST, valueFrom: {configMapKeyRef: {name: settings, key: vhost}}}
          resources: {requests: {memory: 4Gi}}
          volumeMounts: [{name: files, mountPath: /etc/web}]
        - {name: proxy, image: 'quay.io/x/proxy:2'}
      volumes:
        - {name: files, configMap: {name: files}}
        - {name: data, persistentVolumeClaim: {claimName: data}}
        - {name: keys, secret: {secretName: web-keys}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {vhost: /, QUEUE: cki.queue.web}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: files}
data: {web.ini: 'x=1'}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {example.com/hostname: web.prod.example}}
spec: {type: NodePort, clusterIP: 10.0.0.1, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: other}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web-secrets}
stringData: {MQ_PASSWORD: not-to-be-read}
";

struct Lab {
    rules: StagingRules,
    guard: Guard,
}

impl Lab {
    fn new() -> Self {
        let (file, text) = ("inventory.yaml".to_owned(), HEAD_OF_INVENTORY.into());
        let document = InventoryDocument { file, text, reference: None };
        let inventory = Inventory::read("i", vec![document]).expect("is valid");
        let credentials = Credentials::read("credentials.yaml", "{marks: [], rules: []}").expect("are valid");
        Self {
            rules: StagingRules::new(&inventory).expect("are valid"),
            guard: Guard::new(&inventory, credentials),
        }
    }

    fn release(&self, files: &str) -> Result<Release, ReleaseError> {
        let cache = FileCache::of(&[("web.yaml", files)]);
        let item =
            DeploymentItem { files: &cache, path: "web.yaml", container: None, place: "inventory.yaml:1" };
        let deployment = cluster_objects("web", &[item]).expect("is read");
        release(&deployment, &self.rules, &request())
    }
}

fn request() -> ReleaseRequest {
    ReleaseRequest {
        component: "service/web".into(),
        project: "group/web".into(),
        merge_request: 213,
        head: "9c41d0e".into(),
        url: "https://h/group/web/-/merge_requests/213".into(),
        image: "quay.io/x/web@sha256:0".into(),
        image_commit: None,
        namespace: "staging".into(),
        requested_by: Some("alice".into()),
        requested_at: "2026-11-22T10:00:00Z".parse().expect("is a time"),
        expires_at: "2026-11-25T10:00:00Z".parse().expect("is a time"),
    }
}

fn env(container: &Value, name: &str) -> Value {
    let mut all = container["env"].as_array().into_iter().flatten();
    all.find(|one| one["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn release_keeps_objects_apart_from_production() {
    let lab = Lab::new();
    let made = lab.release(FILES).expect("can be staged");
    assert_eq!(made.name, "service-web-mr-213");
    let names: Vec<String> =
        made.objects.iter().map(|one| format!("{} {}", one.kind(), one.name())).collect();
    assert_eq!(names, ["ConfigMap files-mr-213", "Service web-mr-213", "Deployment web-mr-213"]);
    for object in made.objects.iter().chain([&made.owner]) {
        let metadata = &object.json["metadata"];
        assert_eq!(metadata["namespace"], "staging");
        assert_eq!(metadata["labels"][RELEASE], "service-web-mr-213");
        assert_eq!(metadata["labels"][MANAGED_BY.0], "cki");
        assert_eq!(metadata["annotations"][EXPIRES_AT], "2026-11-25T10:00:00Z");
    }
    let asked = &made.owner.json["metadata"]["annotations"];
    assert_eq!(
        (&asked[REQUESTED_AT], &asked[REQUESTED_BY]),
        (&json!("2026-11-22T10:00:00Z"), &json!("alice"))
    );
    let service = &made.objects[1].json["spec"];
    assert_eq!(service["selector"], json!({"app": "web-mr-213", RELEASE: "service-web-mr-213"}));
    assert_eq!(service["ports"], json!([{"port": 80, "protocol": "TCP"}]));
    assert_eq!((&service["type"], service.get("clusterIP")), (&json!("ClusterIP"), None));
    let deployment = &made.objects[2].json;
    assert_eq!(deployment["metadata"]["labels"]["app"], "web-mr-213");
    assert_eq!(deployment["metadata"]["labels"]["team"], "x", "nothing selects by it");
    let spec = &deployment["spec"];
    assert_eq!(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]);
    let pod = &spec["template"]["spec"];
    assert_eq!(pod["volumes"][0]["configMap"]["name"], "files-mr-213");
    assert_eq!(pod["volumes"][1], json!({"name": "data", "emptyDir": {}}));
    assert_eq!(pod["volumes"][2]["secret"]["secretName"], "web-staging-keys");
    assert_eq!(pod["imagePullSecrets"][0]["name"], "web-staging-pull");
    assert_eq!((pod.get("serviceAccountName"), pod.get("priorityClassName")), (None, None));
    assert_eq!(spec["template"]["metadata"]["annotations"], json!({TEMPLATE: made.template}));
    let [web, proxy] = [&pod["containers"][0], &pod["containers"][1]];
    assert_eq!(
        (&web["image"], &proxy["image"]),
        (&json!("quay.io/x/web@sha256:0"), &json!("quay.io/x/proxy:2"))
    );
    assert_eq!(pod["initContainers"][0]["image"], "quay.io/x/web@sha256:0");
    assert_eq!(pod["initContainers"][0]["command"][1], "$(MQ_PASSWORD)", "its own has no such variable");
    assert_eq!(web["resources"], json!({"requests": {"memory": "4Gi"}, "limits": {"cpu": "1"}}));
    assert_eq!(proxy["resources"]["limits"], json!({"cpu": "1", "memory": "1Gi"}));
    let secret = &env(web, "MQ_STAGING_PASSWORD")["valueFrom"]["secretKeyRef"];
    assert_eq!(*secret, json!({"name": "web-staging-secrets", "key": "MQ_STAGING_PASSWORD"}));
    assert_eq!(env(web, "MQ_STAGING_URL")["value"], "amqps://x:$(MQ_STAGING_PASSWORD)@mq.prod.example/");
    for (name, value) in
        [("VHOST", "/staging"), ("QUEUE", "cki.queue.web"), ("IS_PRODUCTION", "false"), ("vhost", "/")]
    {
        assert_eq!(env(web, name)["value"], value, "{name}");
    }
    assert_eq!(env(proxy, "CKI_DEPLOYMENT_ENVIRONMENT")["value"], "staging");
    assert!(!format!("{:?}", made.objects).contains("not-to-be-read"));
    assert_eq!(made.owned("u1")[2]["metadata"]["ownerReferences"][0]["name"], "cki-stage-service-web-mr-213");
    assert_eq!(
        made.notes,
        [
            "The pods run as the default service account in place of `robot`.",
            "An empty volume stands for the claim `data`.",
            "A Service of type NodePort becomes one that only the cluster reaches.",
            "Other objects of the files are left out, of the kinds ConfigMap, Secret and Service.",
            "Annotations of the files are left out: `example.com/hostname` and `example.com/role`.",
        ]
    );
    assert_eq!(release_findings(&made, "web", &lab.rules, &lab.guard), []);
}

#[test]
fn volume_claims_say_to_what_they_belong() {
    let lab = Lab::new();
    let claims = "  replicas: 2\n  volumeClaimTemplates: [{metadata: {name: store}, spec: {}}]\n";
    let files = FILES.replacen("kind: Deployment", "kind: StatefulSet", 1);
    let made = lab.release(&files.replacen("  replicas: 2\n", claims, 1)).expect("can be staged");
    let set = made.objects.last().expect("is there");
    let claim = &set.json["spec"]["volumeClaimTemplates"][0]["metadata"];
    let labels = claim["labels"].as_object().expect("are there");
    assert_eq!(
        labels.keys().map(String::as_str).collect::<Vec<_>>(),
        [MANAGED_BY.0, RELEASE, PROJECT, MERGE_REQUEST],
        "without the head: a template cannot be changed"
    );
    assert_eq!(claim["annotations"][PROJECT_PATH], set.json["metadata"]["annotations"][PROJECT_PATH]);
}

#[test]
fn release_refuses_what_belongs_to_production() {
    let lab = Lab::new();
    for (from, to, message) in [
        (
            "web-keys",
            "keys",
            "web.yaml:2: `web` uses the Secret `keys`, for which the inventory has no rule in `staging.secrets`",
        ),
        (
            "persistentVolumeClaim: {claimName: data}",
            "hostPath: {path: /}",
            "web.yaml:2: `web` sets `volumes.hostPath`, which reaches beyond the namespace",
        ),
        (
            "persistentVolumeClaim: {claimName: data}",
            "nfs: {server: files.example, path: /}",
            "web.yaml:2: `web` sets `volumes.nfs`, which reaches beyond the namespace",
        ),
        (
            "persistentVolumeClaim: {claimName: data}",
            "ephemeral: {volumeClaimTemplate: {spec: {dataSource: {name: backup}}}}",
            "web.yaml:2: `web` sets `volumes.ephemeral.dataSource`, which reaches beyond the namespace",
        ),
        (
            "replicas: 2",
            "volumeClaimTemplates: [{metadata: {name: x}, spec: {volumeName: disk}}]",
            "web.yaml:2: `web` sets `volumeClaimTemplates.volumeName`, which reaches beyond the namespace",
        ),
        (
            "serviceAccountName: robot",
            "hostNetwork: true",
            "web.yaml:2: `web` sets `hostNetwork`, which reaches beyond the namespace",
        ),
    ] {
        let error = lab.release(&FILES.replacen(from, to, 1)).expect_err(to);
        assert!(error.is_refusal());
        assert_eq!(error.to_string(), message);
    }
    let error = lab.release(&FILES.replacen("kind: Deployment", "kind: DaemonSet", 1)).expect_err("is none");
    assert_eq!(
        error.to_string(),
        "web.yaml:2: a DaemonSet cannot be staged, only a Deployment, StatefulSet, CronJob or Job"
    );
    assert!(!error.is_refusal());
    let error = lab.release(&FILES.replacen("name: IS_PRODUCTION", "name: OLD", 1)).expect_err("is refused");
    let message =
        "web.yaml:2: with the rules of `staging.variables`, two variables of `web` have the name `VHOST`";
    assert_eq!(error.to_string(), message);
    // The guard sees variables, files, commands and all other texts, and hosts that are shared as whole names only.
    let files = FILES
        .replacen("cki.queue.web", "https://db.prod.example/", 1)
        .replacen("x=1", "host = x.mq.prod.example", 1)
        .replacen("[migrate,", "[curl, 'http://api.prod.example',", 1)
        .replacen("priorityClassName: high", "hostAliases: [{ip: 192.0.2.1, hostnames: [a.prod.example]}]", 1)
        .replacen("data: {web.ini", "binaryData: {web.bin: YS5wcm9kLmV4YW1wbGU=}\ndata: {web.ini", 1);
    let made = lab.release(&files).expect("can be staged");
    let found = release_findings(&made, "web", &lab.rules, &lab.guard);
    let mut names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["@command", "@command", "QUEUE", "web.bin", "web.ini"]);
}

#[test]
fn release_gives_pods_no_further_rights() {
    let lab = Lab::new();
    let context = "{capabilities: {add: [SYS_ADMIN], drop: [ALL]}, allowPrivilegeEscalation: true, runAsUser: 7, \
                   procMount: Unmasked, seccompProfile: {type: Unconfined}, windowsOptions: {hostProcess: true}}";
    let files = FILES
        .replacen("serviceAccountName: robot", "tolerations: [{operator: Exists}]\n      runtimeClassName: kata\n      shareProcessNamespace: true\n      dnsConfig: {nameservers: [192.0.2.1]}\n      securityContext: {fsGroup: 5, sysctls: [{name: a, value: b}]}", 1)
        .replacen("volumeMounts: [{name: files", &format!("securityContext: {context}\n          volumeMounts: [{{name: files"), 1)
        .replacen("value: 'true'}", "value: 'true'}\n            - {name: Is_Production, value: 'true'}", 1)
        .replacen("secret: {secretName: web-keys}", "projected: {sources: [{serviceAccountToken: {audience: vault}}, {configMap: {name: files}}]}", 1);
    let made = lab.release(&files).expect("can be staged");
    let workload = made.objects.iter().find(|one| one.kind() == "Deployment").expect("is there");
    let pod = &workload.json["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"], json!({"fsGroup": 5, "seccompProfile": {"type": "RuntimeDefault"}}));
    let web = &pod["containers"][0];
    assert_eq!(
        web["securityContext"],
        json!({"runAsUser": 7, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}})
    );
    assert_eq!(pod["containers"][1]["securityContext"], json!({"allowPrivilegeEscalation": false}));
    assert_eq!(env(web, "Is_Production"), Value::Null);
    assert_eq!(env(web, "IS_PRODUCTION")["value"], "false");
    assert_eq!(pod["volumes"][2]["projected"]["sources"].as_array().map(Vec::len), Some(1));
    for field in ["tolerations", "runtimeClassName", "shareProcessNamespace", "dnsConfig"] {
        assert_eq!(pod.get(field), None, "{field}");
        assert!(made.notes.contains(&format!("`{field}` of the pods is left out.")), "{:?}", made.notes);
    }
    let changed = FILES.replacen("command: [migrate,", "command: [env, IS_PRODUCTION=true, migrate,", 1);
    let error = lab.release(&changed).expect_err("is refused");
    assert!(error.is_refusal());
    assert_eq!(
        error.to_string(),
        "web.yaml:2: a command of `web` sets or unsets `IS_PRODUCTION`, which has a fixed value in staging"
    );
}
