BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0014');
CREATE TABLE annotators (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, issuer VARCHAR, subject VARCHAR, 
	CONSTRAINT pk_annotators PRIMARY KEY (id), 
	CONSTRAINT fk_annotators_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_annotators_project_id_name UNIQUE (project_id, name)
);
INSERT INTO "annotators" VALUES(1,1,'ada','2024-01-01 22:14:54.920697',NULL,NULL);
INSERT INTO "annotators" VALUES(2,1,'bob','2024-01-01 22:14:54.930973',NULL,NULL);
CREATE TABLE "claims" (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	annotator_id INTEGER NOT NULL, 
	query_id INTEGER, 
	token VARCHAR NOT NULL, 
	claimed_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	seen BOOLEAN DEFAULT 1 NOT NULL, 
	in_grid BOOLEAN DEFAULT 0 NOT NULL, page VARCHAR DEFAULT '' NOT NULL, acquisition VARCHAR, acquisition_probability DOUBLE, 
	CONSTRAINT pk_claims PRIMARY KEY (id), 
	CONSTRAINT fk_claims_annotator_id FOREIGN KEY(annotator_id) REFERENCES annotators (id), 
	CONSTRAINT fk_claims_query_id FOREIGN KEY(query_id) REFERENCES queries (id), 
	CONSTRAINT fk_claims_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT fk_claims_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id), 
	CONSTRAINT uq_claims_token UNIQUE (token), 
	CONSTRAINT uq_claims_sample_id_annotator_id UNIQUE (sample_id, annotator_id)
);
INSERT INTO "claims" VALUES(1,1,4,1,4,'f79ba5ca40ec4b1e94d01d17e7bf70d6','2024-01-01 22:14:55.256875','2024-01-02 00:25:51.611013',1,0,'',NULL,NULL);
INSERT INTO "claims" VALUES(2,1,9,1,17,'411aaeeb4d404b81aff4574c3798152c','2024-01-02 00:20:00.000000','2024-01-02 00:21:00.000000',0,0,'0123456789abcdef0123456789abcdef',NULL,NULL);
CREATE TABLE class_changes (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	class_index INTEGER NOT NULL, 
	into_index INTEGER, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	undoes INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_class_changes PRIMARY KEY (id), 
	CONSTRAINT ck_class_changes_kind CHECK (kind IN ('rename', 'merge', 'split', 'retire', 'add', 'describe', 'order', 'color', 'undo')), 
	CONSTRAINT fk_class_changes_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_class_changes_key UNIQUE ("key"), 
	CONSTRAINT uq_class_changes_undoes UNIQUE (undoes)
);
CREATE TABLE classes (
	project_id INTEGER NOT NULL, 
	"index" INTEGER NOT NULL, 
	name VARCHAR NOT NULL, retired BOOLEAN DEFAULT 0 NOT NULL, description VARCHAR DEFAULT '' NOT NULL, position INTEGER, color VARCHAR DEFAULT '' NOT NULL, 
	CONSTRAINT pk_classes PRIMARY KEY (project_id, "index"), 
	CONSTRAINT fk_classes_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_classes_project_id_name UNIQUE (project_id, name)
);
INSERT INTO "classes" VALUES(1,0,'cat',0,'',NULL,'');
INSERT INTO "classes" VALUES(1,1,'dog',0,'',NULL,'');
CREATE TABLE confusion (
	round_id INTEGER NOT NULL, 
	dataset VARCHAR NOT NULL, 
	true_index INTEGER NOT NULL, 
	predicted_index INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_confusion PRIMARY KEY (round_id, dataset, true_index, predicted_index), 
	CONSTRAINT fk_confusion_round_id FOREIGN KEY(round_id) REFERENCES rounds (id)
);
INSERT INTO "confusion" VALUES(2,'audit',1,1,1);
CREATE TABLE current_decisions (
	sample_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	event_id INTEGER NOT NULL, 
	action VARCHAR NOT NULL, 
	CONSTRAINT pk_current_decisions PRIMARY KEY (sample_id), 
	CONSTRAINT fk_current_decisions_event_id FOREIGN KEY(event_id) REFERENCES label_events (id), 
	CONSTRAINT fk_current_decisions_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT fk_current_decisions_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "current_decisions" VALUES(1,1,11,'label');
INSERT INTO "current_decisions" VALUES(2,1,9,'label');
INSERT INTO "current_decisions" VALUES(3,1,3,'label');
INSERT INTO "current_decisions" VALUES(5,1,6,'skip');
INSERT INTO "current_decisions" VALUES(6,1,8,'label');
INSERT INTO "current_decisions" VALUES(7,1,10,'label');
INSERT INTO "current_decisions" VALUES(8,1,12,'label');
CREATE TABLE endings (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	child VARCHAR NOT NULL, 
	status INTEGER NOT NULL, 
	seconds DOUBLE NOT NULL, 
	last_words VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_endings PRIMARY KEY (id), 
	CONSTRAINT fk_endings_project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);
INSERT INTO "endings" VALUES(1,1,'trainer',-9,3.5,'Killed','2024-01-02 00:31:00.000000');
CREATE TABLE groups (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	annotator_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	part INTEGER NOT NULL, 
	class_index INTEGER NOT NULL, 
	origin VARCHAR NOT NULL, 
	seed BIGINT NOT NULL, 
	allowed DOUBLE NOT NULL, 
	members VARCHAR NOT NULL, 
	draws INTEGER NOT NULL, 
	closed BOOLEAN DEFAULT 0 NOT NULL, 
	created_at DATETIME NOT NULL, classes VARCHAR DEFAULT '' NOT NULL, 
	CONSTRAINT pk_groups PRIMARY KEY (id), 
	CONSTRAINT fk_groups_annotator_id FOREIGN KEY(annotator_id) REFERENCES annotators (id), 
	CONSTRAINT fk_groups_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_groups_key_part UNIQUE ("key", part)
);
CREATE TABLE heartbeats (
	project_id INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	pid INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	message VARCHAR NOT NULL, 
	beat INTEGER NOT NULL, 
	beat_at DATETIME NOT NULL, 
	round_number INTEGER, 
	epoch INTEGER, 
	epochs INTEGER, 
	done INTEGER, 
	total INTEGER, 
	eta_s DOUBLE, 
	handled_request_id INTEGER NOT NULL, 
	device VARCHAR, 
	CONSTRAINT pk_heartbeats PRIMARY KEY (project_id), 
	CONSTRAINT fk_heartbeats_project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);
INSERT INTO "heartbeats" VALUES(1,1,1,'starting','',0,'2024-01-01 22:14:54.953514',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE TABLE import_refusals (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	uri VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_import_refusals PRIMARY KEY (id), 
	CONSTRAINT fk_import_refusals_project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);
INSERT INTO "import_refusals" VALUES(1,1,'a.txt','no image','2024-01-01 22:14:55.432361');
CREATE TABLE imported_predictions (
	id INTEGER NOT NULL, 
	import_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	class_index INTEGER NOT NULL, 
	probability DOUBLE, 
	model_version VARCHAR NOT NULL, 
	CONSTRAINT pk_imported_predictions PRIMARY KEY (id), 
	CONSTRAINT fk_imported_predictions_import_id FOREIGN KEY(import_id) REFERENCES imports (id), 
	CONSTRAINT fk_imported_predictions_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
CREATE TABLE imports (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_imports PRIMARY KEY (id), 
	CONSTRAINT fk_imports_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_imports_key UNIQUE ("key")
);
CREATE TABLE journal_mark (
	id INTEGER NOT NULL, 
	"offset" BIGINT NOT NULL, 
	tail VARCHAR NOT NULL, 
	event_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	classes INTEGER NOT NULL, 
	CONSTRAINT pk_journal_mark PRIMARY KEY (id)
);
INSERT INTO "journal_mark" VALUES(1,0,'',0,0,0);
CREATE TABLE label_events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	project_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	annotator_id INTEGER NOT NULL, 
	action VARCHAR NOT NULL, 
	class_index INTEGER, 
	purpose VARCHAR NOT NULL, 
	round_number INTEGER, 
	acquisition VARCHAR, 
	score DOUBLE, 
	acquisition_probability DOUBLE, 
	rank INTEGER, 
	model_version VARCHAR, 
	suggestion_shown BOOLEAN NOT NULL, 
	lead_time_s DOUBLE, 
	request_id VARCHAR NOT NULL, 
	supersedes INTEGER, 
	created_at DATETIME NOT NULL, shown_together INTEGER DEFAULT '1' NOT NULL, why_shown BOOLEAN DEFAULT 0 NOT NULL, predictor VARCHAR, predictor_version VARCHAR, predictor_labels INTEGER, aside BOOLEAN DEFAULT 0 NOT NULL, group_key VARCHAR, group_draw INTEGER, group_bound DOUBLE, seeded_suggestion INTEGER, 
	CONSTRAINT ck_label_events_class_only_for_label CHECK ((action = 'label') = (class_index IS NOT NULL)), 
	CONSTRAINT ck_label_events_action CHECK (action IN ('label', 'skip', 'flag', 'undo')), 
	CONSTRAINT ck_label_events_purpose CHECK (purpose IN ('train', 'audit', 'recheck', 'imported')), 
	CONSTRAINT fk_label_events_annotator_id FOREIGN KEY(annotator_id) REFERENCES annotators (id), 
	CONSTRAINT fk_label_events_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT fk_label_events_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id), 
	CONSTRAINT fk_label_events_supersedes FOREIGN KEY(supersedes) REFERENCES label_events (id), 
	CONSTRAINT uq_label_events_request_id UNIQUE (request_id)
);
INSERT INTO "label_events" VALUES(1,1,1,1,'label',0,'train',0,'bald',0.5,0.25,0,'round-0',0,NULL,'request-1',NULL,'2024-01-01 22:14:55.077055',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(2,1,2,1,'label',1,'train',0,'bald',0.5,0.25,1,'round-0',0,NULL,'request-2',NULL,'2024-01-01 22:14:55.137377',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(3,1,3,1,'label',1,'audit',0,'bald',0.5,0.25,2,'round-0',0,NULL,'request-3',NULL,'2024-01-01 22:14:55.169074',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(4,1,4,1,'label',0,'train',0,'bald',0.5,0.25,3,'round-0',0,NULL,'request-4',NULL,'2024-01-01 22:14:55.204329',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(5,1,4,1,'undo',NULL,'train',0,'bald',0.5,0.25,3,'round-0',0,NULL,'undo:4',4,'2024-01-01 22:14:55.227656',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(6,1,5,1,'skip',NULL,'train',0,'bald',0.5,0.25,4,'round-0',0,NULL,'request-5',NULL,'2024-01-01 22:14:55.323698',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(7,1,6,1,'flag',NULL,'train',0,'bald',0.5,0.25,5,'round-0',0,NULL,'flag:request-6',NULL,'2024-01-01 22:14:55.351454',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(8,1,6,2,'label',1,'train',0,'bald',0.5,0.25,5,'round-0',0,NULL,'request-7',NULL,'2024-01-01 22:14:55.367864',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(9,1,2,1,'label',0,'train',0,'bald',0.5,0.25,1,'round-0',0,NULL,'request-8',2,'2024-01-01 22:14:55.395935',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(10,1,7,2,'label',1,'train',1,'bald',0.5,0.25,0,'round-1',1,1.5,'request-9',NULL,'2024-01-02 00:15:51.640245',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(11,1,1,2,'label',1,'recheck',2,'bald',NULL,NULL,0,'round-2',0,0.5,'f62b5d800bd4447fabfba49886cd8f44',1,'2024-01-02 00:15:51.665491',1,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(12,1,8,2,'label',0,'audit',2,'bald',NULL,0.125,2,'round-2',0,0.25,'1aa2e3d605c943d99f6a077ba1b1d95d',NULL,'2026-11-29 21:36:30.208353',12,1,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "label_events" VALUES(13,1,3,2,'label',0,'train',2,'bald',NULL,NULL,NULL,NULL,0,0.5,'0123456789abcdef0123456789abcdef',3,'2024-01-02 00:30:00.000000',1,0,'graph','round-2',4,1,NULL,NULL,NULL,NULL);
CREATE TABLE metrics (
	id INTEGER NOT NULL, 
	round_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	value DOUBLE NOT NULL, 
	low DOUBLE, 
	high DOUBLE, 
	n INTEGER, 
	class_index INTEGER, 
	CONSTRAINT pk_metrics PRIMARY KEY (id), 
	CONSTRAINT fk_metrics_round_id FOREIGN KEY(round_id) REFERENCES rounds (id)
);
INSERT INTO "metrics" VALUES(1,2,'accuracy_audit',1.0,0.2,1.0,1,NULL);
INSERT INTO "metrics" VALUES(2,3,'accuracy_audit',1.0,0.2,1.0,1,NULL);
CREATE TABLE projects (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	seed BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, kind VARCHAR DEFAULT 'image' NOT NULL, 
	CONSTRAINT pk_projects PRIMARY KEY (id), 
	CONSTRAINT uq_projects_name UNIQUE (name)
);
INSERT INTO "projects" VALUES(1,'pets',0,'2024-01-01 22:14:54.880340','image');
CREATE TABLE queries (
	id INTEGER NOT NULL, 
	round_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	purpose VARCHAR NOT NULL, 
	score DOUBLE, 
	acquisition_probability DOUBLE, 
	suggestion INTEGER, 
	suggestion_probability DOUBLE, annotators INTEGER DEFAULT '1' NOT NULL, predictor VARCHAR, predictor_version VARCHAR, predictor_labels INTEGER, 
	CONSTRAINT pk_queries PRIMARY KEY (id), 
	CONSTRAINT fk_queries_round_id FOREIGN KEY(round_id) REFERENCES rounds (id), 
	CONSTRAINT fk_queries_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id), 
	CONSTRAINT uq_queries_round_id_rank UNIQUE (round_id, rank), 
	CONSTRAINT uq_queries_sample_id_round_id UNIQUE (sample_id, round_id)
);
INSERT INTO "queries" VALUES(1,1,1,0,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(2,1,2,1,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(3,1,3,2,'audit',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(4,1,4,3,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(5,1,5,4,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(6,1,6,5,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(7,1,7,6,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(8,1,8,7,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(9,1,9,8,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(10,1,10,9,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(11,2,7,0,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(12,2,8,1,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(13,2,9,2,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(14,3,1,0,'recheck',NULL,NULL,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(15,3,7,1,'train',0.75,0.25,1,0.75,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(16,3,8,2,'audit',NULL,0.125,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "queries" VALUES(17,3,9,3,'train',0.5,0.25,NULL,NULL,1,NULL,NULL,NULL);
CREATE TABLE rounds (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	generation INTEGER NOT NULL, 
	"trigger" VARCHAR NOT NULL, 
	reason VARCHAR, 
	snapshot_event_id INTEGER NOT NULL, 
	labels INTEGER NOT NULL, 
	learner VARCHAR NOT NULL, 
	acquisition VARCHAR NOT NULL, 
	model_version VARCHAR NOT NULL, 
	started_at DATETIME NOT NULL, 
	opened_at DATETIME, 
	closed_at DATETIME, 
	fit_seconds DOUBLE, 
	score_seconds DOUBLE, 
	checkpoint VARCHAR, 
	checkpoint_sha256 VARCHAR, 
	checkpoint_bytes BIGINT, 
	CONSTRAINT pk_rounds PRIMARY KEY (id), 
	CONSTRAINT ck_rounds_state CHECK (state IN ('training', 'scoring', 'open', 'closed', 'failed')), 
	CONSTRAINT fk_rounds_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_rounds_project_id_number UNIQUE (project_id, number)
);
INSERT INTO "rounds" VALUES(1,1,0,'closed',1,'test',NULL,0,0,'cnn','bald','round-0','2024-01-01 22:14:54.993652','2024-01-01 22:14:55.032099','2024-01-01 22:14:55.525674',0.0,0.0,NULL,NULL,NULL);
INSERT INTO "rounds" VALUES(2,1,1,'closed',1,'test',NULL,0,0,'cnn','bald','round-1','2024-01-01 22:14:55.504898','2024-01-01 22:14:55.525674','2024-01-02 00:15:51.593431',0.0,0.0,NULL,NULL,NULL);
INSERT INTO "rounds" VALUES(3,1,2,'open',1,'test',NULL,9,4,'cnn','bald','round-2','2024-01-02 00:15:51.577441','2024-01-02 00:15:51.593431',NULL,1.0,0.5,NULL,NULL,NULL);
CREATE TABLE sample_errors (
	sample_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_sample_errors PRIMARY KEY (sample_id), 
	CONSTRAINT fk_sample_errors_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT fk_sample_errors_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "sample_errors" VALUES(10,1,'truncated','2024-01-01 22:14:55.424117');
CREATE TABLE samples (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	uri VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	split VARCHAR NOT NULL, 
	class_index INTEGER, 
	audit_key DOUBLE NOT NULL, 
	created_at DATETIME NOT NULL, content VARCHAR, 
	CONSTRAINT pk_samples PRIMARY KEY (id), 
	CONSTRAINT ck_samples_class_only_for_test CHECK (split = 'test' OR class_index IS NULL), 
	CONSTRAINT ck_samples_split CHECK (split IN ('pool', 'test')), 
	CONSTRAINT fk_samples_project_id FOREIGN KEY(project_id) REFERENCES projects (id), 
	CONSTRAINT uq_samples_project_id_sha256 UNIQUE (project_id, sha256)
);
INSERT INTO "samples" VALUES(1,1,'/images/1.png','6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',8,8,'pool',NULL,9.09783504158891420665e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(2,1,'/images/2.png','d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35',8,8,'pool',NULL,7.12756115078334584467e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(3,1,'/images/3.png','4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce',8,8,'pool',NULL,7.75107894376047212858e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(4,1,'/images/4.png','4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a',8,8,'pool',NULL,2.78355092302087103739e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(5,1,'/images/5.png','ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d',8,8,'pool',NULL,1.43018928071325213124e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(6,1,'/images/6.png','e7f6c011776e8db7cd330b54174fd76f7d0216b612387a5ffcfb81e6f0919683',8,8,'pool',NULL,4.89136866545172854792e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(7,1,'/images/7.png','7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451',8,8,'pool',NULL,8.84470586401786662555e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(8,1,'/images/8.png','2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3',8,8,'pool',NULL,0.0287772780575849,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(9,1,'/images/9.png','19581e27de7ced00ff1ce50b2047e7a567c76b1cbaebabe5ef03f7c3017bb5b7',8,8,'pool',NULL,1.07063027084023265622e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(10,1,'/images/10.png','4a44dc15364204a80fe80e9039455cc1608281820fe2b24f1e5233ade6af1dd5',8,8,'pool',NULL,5.54513206071461595136e-01,'2024-01-01 22:14:54.933241',NULL);
INSERT INTO "samples" VALUES(11,1,'/images/test.png','9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',8,8,'test',1,2.68492479906826120306e-01,'2024-01-01 22:14:54.933241',NULL);
CREATE TABLE suspects (
	round_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	event_id INTEGER NOT NULL, 
	given_index INTEGER NOT NULL, 
	suggested_index INTEGER NOT NULL, 
	suspicion DOUBLE NOT NULL, 
	CONSTRAINT pk_suspects PRIMARY KEY (round_id, sample_id), 
	CONSTRAINT ck_suspects_suspicion CHECK (suspicion BETWEEN 0 AND 1), 
	CONSTRAINT ck_suspects_contradiction CHECK (given_index <> suggested_index), 
	CONSTRAINT fk_suspects_event_id FOREIGN KEY(event_id) REFERENCES label_events (id), 
	CONSTRAINT fk_suspects_round_id FOREIGN KEY(round_id) REFERENCES rounds (id), 
	CONSTRAINT fk_suspects_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "suspects" VALUES(3,2,9,0,1,0.875);
CREATE TABLE trainer_errors (
	id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	round_number INTEGER, 
	step VARCHAR NOT NULL, 
	message VARCHAR NOT NULL, 
	traceback VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_trainer_errors PRIMARY KEY (id), 
	CONSTRAINT fk_trainer_errors_project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);
INSERT INTO "trainer_errors" VALUES(1,1,0,'fit','no room','...','2024-01-01 22:14:55.433228');
CREATE TABLE trainer_requests (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	project_id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	annotator_id INTEGER, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT ck_trainer_requests_kind CHECK (kind IN ('train', 'retry', 'stop')), 
	CONSTRAINT fk_trainer_requests_annotator_id FOREIGN KEY(annotator_id) REFERENCES annotators (id), 
	CONSTRAINT fk_trainer_requests_project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);
INSERT INTO "trainer_requests" VALUES(1,1,'train',1,'2024-01-01 22:14:55.451826');
CREATE INDEX ix_samples_project_id_split_id ON samples (project_id, split, id);
CREATE INDEX ix_sample_errors_project_id ON sample_errors (project_id);
CREATE INDEX ix_import_refusals_project_id ON import_refusals (project_id);
CREATE UNIQUE INDEX uq_rounds_open ON rounds (project_id) WHERE state = 'open';
CREATE INDEX ix_metrics_round_id ON metrics (round_id);
CREATE INDEX ix_label_events_project_id_action ON label_events (project_id, action);
CREATE INDEX ix_label_events_project_id_annotator_id_id ON label_events (project_id, annotator_id, id);
CREATE INDEX ix_label_events_project_id_id ON label_events (project_id, id);
CREATE INDEX ix_label_events_sample_id_id ON label_events (sample_id, id);
CREATE INDEX ix_label_events_supersedes_action ON label_events (supersedes, action);
CREATE INDEX ix_current_decisions_project_id_action ON current_decisions (project_id, action);
CREATE INDEX ix_trainer_errors_project_id ON trainer_errors (project_id);
CREATE INDEX ix_trainer_requests_project_id ON trainer_requests (project_id);
CREATE TRIGGER label_events_no_update BEFORE UPDATE ON label_events BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_events_no_delete BEFORE DELETE ON label_events BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_events_no_replace BEFORE INSERT ON label_events WHEN EXISTS (SELECT 1 FROM label_events WHERE id = NEW.id OR request_id = NEW.request_id) BEGIN SELECT RAISE(ABORT, 'label events are append-only: id or request id is already there'); END;
CREATE INDEX ix_claims_project_id_annotator_id ON claims (project_id, annotator_id);
CREATE UNIQUE INDEX uq_annotators_account ON annotators (project_id, issuer, subject);
CREATE INDEX ix_endings_project_id ON endings (project_id);
CREATE INDEX ix_imports_project_id ON imports (project_id);
CREATE INDEX ix_imported_predictions_sample_id ON imported_predictions (sample_id);
CREATE INDEX ix_samples_project_id_uri ON samples (project_id, uri);
CREATE INDEX ix_class_changes_project_id ON class_changes (project_id);
CREATE INDEX ix_groups_project_id_annotator_id ON groups (project_id, annotator_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('label_events',13);
INSERT INTO "sqlite_sequence" VALUES('trainer_requests',1);
COMMIT;
